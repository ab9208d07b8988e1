-- The core path as one script by hand: from the raw tables of the shop to RFM, value (bands, ABC, the
-- CLV formula) and lifecycle at the newest as-of, the same to the cent as the models'. The bench
-- attaches a build file that holds `raw` and `seeds` as `build` and runs this on an empty file.
--
-- Written for speed alone: no table that nobody reads afterwards, no tests, one source, DuckDB's own
-- functions. Revisions are dealt with where there are any, discounts where there is one, refunds for
-- the orders that have them; the rest of the lines pass once, from the scan into a sum per order.

-- Constants to the optimizer, unlike a subquery.
set variable settings = (
    select map(array_agg(setting), array_agg(value)) from build.seeds.settings
);
create macro setting(name) as getvariable('settings')[name];

-- A list per currency, newest first: a join would be taken for a filter, and what follows it planned
-- for a handful of orders.
set variable rates = (
    select map(array_agg(currency), array_agg(rates))
    from (
        select
            currency,
            list(
                struct_pack(valid_from := rate_date, rate := rate::decimal(12, 6))
                order by rate_date desc
            ) as rates
        from build.seeds.exchange_rates
        where base_currency = setting('base_currency')
        group by currency
    )
);
create macro rate_on(currency, day) as
    case
        when currency is null or upper(currency) = setting('base_currency')
            then 1::decimal(12, 6)
        else list_filter(
            getvariable('rates')[upper(currency)], lambda one: one.valid_from <= day
        )[1].rate
    end;

-- Records that a newer revision replaced: few, so their keys alone are looked at.
create temp table superseded_orders as
select _delivery_id, _row_number
from build.raw.shop__orders
where order_id in (
    select order_id from build.raw.shop__orders group by order_id having count(*) > 1
)
qualify row_number() over (
    partition by order_id order by updated_at desc nulls last, _delivery_id desc, _row_number desc
) > 1;

create temp table superseded_lines as
with repeated as (
    select order_id
    from build.raw.shop__order_lines
    group by order_id
    having
        min(_delivery_id) < max(_delivery_id)
        -- More lines than different numbers, modulo 63: suspected for nothing once in a while.
        or bit_count(bit_or(1::bigint << (line_number % 63)::int)) < count(*)
),

lines as (
    select
        order_id, line_number, _delivery_id, _row_number, updated_at,
        max(updated_at) over (partition by order_id, _delivery_id) as newest
    from build.raw.shop__order_lines
    where order_id in (from repeated)
),

ranked as (
    select
        *,
        rank() over (partition by order_id order by newest desc nulls last, _delivery_id desc)
            as delivery_rank,
        row_number() over (
            partition by order_id, _delivery_id, line_number
            order by updated_at desc nulls last, _row_number desc
        ) as line_rank
    from lines
)

select _delivery_id, _row_number from ranked where delivery_rank > 1 or line_rank > 1;

create macro is_dated(moment, delivered) as
    moment::date >= setting('minimum_date')::date
    and moment::date - delivered::date <= setting('max_days_ahead')::int;

create macro largest_amount() as setting('largest_line_amount')::decimal(18, 2);

create macro cents(amount, rate) as
    (case when rate = 1 then round(amount, 2) else round(amount * rate, 2) end)::decimal(18, 2);

create temp view ordered as select rowid as order_key, * from build.raw.shop__orders;

create macro accepted(candidates) as table
select
    orders.order_key,
    orders.order_id,
    orders.customer_id,
    orders.ordered_at,
    orders.ordered_at::date as order_date,
    rate_on(orders.currency, orders.ordered_at::date) as rate,
    nullif(orders.discount_amount, 0) as discount_amount
from query_table(candidates) as orders
left join superseded_orders as superseded
    on
        orders._delivery_id = superseded._delivery_id
        and orders._row_number = superseded._row_number
where
    superseded._row_number is null
    and rate_on(orders.currency, orders.ordered_at::date) is not null
    and lower(orders.status) = 'completed'
    and is_dated(orders.ordered_at, orders._delivered_at)
    and coalesce(abs(orders.discount_amount), 0) <= largest_amount();

create temp table products as
select
    product_id,
    unit_cost,
    -- Bit 0 says that anything was bought, so a category begins at bit 1; a shop with more than 126
    -- of them is an error here.
    1::hugeint
    | coalesce(1::hugeint << dense_rank() over (order by category nulls last)::int, 0::hugeint)
    * (category is not null)::int as category_bits
from build.raw.shop__products
qualify row_number() over (
    partition by product_id
    order by updated_at desc nulls last, _delivery_id desc, _row_number desc
) = 1;

create temp view accepted_lines as
select
    lines.order_id,
    lines.line_number,
    lines.quantity,
    lines.unit_cost,
    case
        when
            abs(lines.quantity::double * products.unit_cost::double) <= largest_amount()::double
            then products.unit_cost
    end as product_unit_cost,
    case when lines.quantity > 0 then coalesce(products.category_bits, 1) end as category_bits,
    (
        lines.quantity::decimal(19, 6) * lines.unit_price - coalesce(lines.discount_amount, 0)
    )::decimal(25, 12) as line_amount
from build.raw.shop__order_lines as lines
left join superseded_lines as superseded
    on
        lines._delivery_id = superseded._delivery_id
        and lines._row_number = superseded._row_number
left join products on lines.product_id = products.product_id
where
    superseded._row_number is null
    and abs(lines.quantity::double)
    * greatest(abs(lines.unit_price::double), abs(coalesce(lines.unit_cost::double, 0)))
    <= largest_amount()::double
    and coalesce(abs(lines.discount_amount), 0) <= largest_amount();

create macro line_cost(quantity, unit_cost, product_unit_cost, rate) as
    case
        when unit_cost is not null
            then cents((quantity::decimal(19, 6) * unit_cost)::decimal(25, 12), rate)
        else round(quantity::decimal(19, 6) * product_unit_cost, 2)::decimal(18, 2)
    end;

-- Refunds, with the lines of the orders that have one.
create temp table won_refunds as
select *
from build.raw.shop__refunds
qualify row_number() over (
    partition by refund_id
    order by updated_at desc nulls last, _delivery_id desc, _row_number desc
) = 1;

create temp view once_refunded as
select * from ordered where order_id in (select order_id from won_refunds);

create temp table refunded_orders as select * from accepted('once_refunded');

create temp table valued_lines as
select
    order_key, customer_id, ordered_at, order_date, rate, order_id, line_number, quantity,
    category_bits,
    line_cost(quantity, unit_cost, product_unit_cost, rate) as cost,
    cents(
        (
            line_amount - coalesce((
                round(
                    discount_amount::double * greatest(line_amount, 0)::double
                    / nullif(
                        sum(greatest(line_amount, 0)) over (partition by order_key)::double, 0
                    ) * 100000000
                )::bigint * 0.00000001::decimal(9, 8)
            )::decimal(25, 10), 0)
        )::decimal(25, 12), rate
    ) as net,
    discount_amount is not null as is_discounted
from accepted_lines
inner join (
    from accepted('ordered')
    where discount_amount is not null or order_id in (select order_id from refunded_orders)
) using (order_id);

create temp table refunded_lines as
select
    order_key, order_id, line_number, customer_id, order_date, rate, quantity, net, cost,
    sum(net) over (partition by order_key) as order_net,
    sum(greatest(net, 0)) over (partition by order_key) as positive_net,
    row_number() over (partition by order_key order by net desc, line_number) = 1 as is_largest
from valued_lines
where order_id in (select order_id from refunded_orders);

create temp table refunds as
select
    refunds.refund_id,
    lines.order_key,
    coalesce(lines.customer_id, refunds.customer_id) as customer_id,
    refunds.refunded_at,
    refunds.refunded_at::date as refund_date,
    refunds.line_number,
    abs(refunds.quantity) as quantity,
    cents(refunds.amount::decimal(25, 12), coalesce(lines.rate, 1)) as amount,
    refunds.order_id is null as is_credit_note
from won_refunds as refunds
left join (
    select order_id, order_key, customer_id, order_date, rate, list(line_number) as line_numbers
    from refunded_lines
    group by all
) as lines on refunds.order_id = lines.order_id
where
    refunds.amount > 0
    and refunds.amount <= largest_amount()
    and is_dated(refunds.refunded_at, refunds._delivered_at)
    and case
        when refunds.order_id is null then refunds.customer_id is not null
        else
            lines.order_id is not null
            and refunds.refunded_at::date >= lines.order_date
            and (
                refunds.line_number is null
                or list_contains(lines.line_numbers, refunds.line_number)
            )
    end;

create temp table interactions as
select
    interactions.customer_id,
    interactions.occurred_at::date as interaction_date,
    case when types.is_activation then interactions.occurred_at end as activated_at
from (
    from build.raw.shop__interactions
    qualify row_number() over (
        partition by interaction_id
        order by updated_at desc nulls last, _delivery_id desc, _row_number desc
    ) = 1
) as interactions
inner join build.seeds.interaction_types as types
    on lower(interactions.interaction_type) = types.interaction_type
where
    is_dated(interactions.occurred_at, interactions._delivered_at)
    and (
        types.lowest_score is null
        or interactions.score between types.lowest_score and types.highest_score
    );

set variable fact_days = (
    select struct_pack(
        first := least(orders.first, refunds.first, interactions.first),
        last := greatest(orders.last, refunds.last, interactions.last)
    )
    from (select min(order_date) as first, max(order_date) as last from accepted('ordered')) as orders
    cross join (select min(refund_date) as first, max(refund_date) as last from refunds) as refunds
    cross join (
        select min(interaction_date) as first, max(interaction_date) as last from interactions
    ) as interactions
);
set variable as_of_date = getvariable('fact_days').last;
set variable look_back_after = getvariable('as_of_date') - setting('look_back_days')::int;
set variable after_24m = getvariable('as_of_date') - setting('days_24m')::int;
set variable after_12m = getvariable('as_of_date') - setting('days_12m')::int;
set variable after_6m = getvariable('as_of_date') - setting('days_6m')::int;

create temp table refund_entries as
with shares as (
    select
        refunds.* exclude (line_number, quantity, customer_id),
        refunds.line_number as refunded_line,
        lines.line_number,
        lines.customer_id,
        lines.quantity,
        lines.net,
        lines.cost,
        lines.order_net,
        lines.is_largest,
        case when refunds.line_number = lines.line_number then coalesce(refunds.quantity, 0) else 0 end
            as pieces,
        case
            when refunds.line_number is not null or lines.net <= 0 then 0
            else
                ((refunds.amount * 100)::bigint::hugeint * (lines.net * 100)::bigint)
                // (lines.positive_net * 100)::bigint
        end as share_cents
    from refunds
    inner join refunded_lines as lines on refunds.order_key = lines.order_key
),

allocated as (
    select
        *,
        case
            when refunded_line = line_number then amount
            when refunded_line is not null then 0
            when is_largest
                then amount
                - (sum(share_cents) over (partition by refund_id) - share_cents)::bigint * 0.01
            else share_cents::bigint * 0.01
        end::decimal(18, 2) as line_amount
    from shares
),

running as (
    select
        *,
        sum(line_amount) over line_so_far as line_refunded,
        sum(pieces) over line_so_far as pieces_so_far,
        sum(line_amount) over (
            partition by order_key order by refund_date, refunded_at, refund_id
            range between unbounded preceding and current row
        ) as order_refunded
    from allocated
    window line_so_far as (
        partition by order_key, line_number order by refund_date, refunded_at, refund_id
        rows between unbounded preceding and current row
    )
),

costed as (
    select
        *,
        case
            when cost is null then null
            when line_refunded >= net and net > 0 then cost
            when order_refunded >= order_net and order_net > 0 then cost
            else round(
                (cost * 100)::double * least(pieces_so_far, greatest(quantity, 0))::double
                / nullif(quantity::double, 0)
            )::bigint * 0.01
        end::decimal(18, 2) as returned_so_far
    from running
)

select
    customer_id, order_key, refund_date, line_amount as net, order_net,
    returned_so_far - coalesce(lag(returned_so_far) over (
        partition by order_key, line_number order by refund_date, refunded_at, refund_id
    ), 0) as cost
from costed;

create temp table voided_orders as
select order_key, min(refund_date) as voided_on
from (
    select
        order_key, refund_date, order_net,
        sum(net) over (partition by order_key order by refund_date) as refunded
    from refund_entries
    where net <> 0 or cost <> 0
)
where order_net > 0 and refunded >= order_net
group by order_key;

create temp table won_customers as
select customer_id, registered_at, verified_at, _delivered_at
from build.raw.shop__customers
qualify row_number() over (
    partition by customer_id
    order by updated_at desc nulls last, _delivery_id desc, _row_number desc
) = 1;

-- Customers: everybody who did anything until the as-of, or of whom nothing is dated.
create temp table existing_customers as
select customer_id, activated_at
from (
    select customer_id, min(event_date) as known_since, min(activated_at) as activated_at
    from (
        select
            customer_id,
            case when is_dated(registered_at, _delivered_at) then registered_at end
                as activated_at,
            activated_at::date as event_date
        from won_customers
        union all
        select
            customer_id,
            case when is_dated(verified_at, _delivered_at) then verified_at end,
            case when is_dated(verified_at, _delivered_at) then verified_at::date end
        from won_customers
        union all
        select customer_id, activated_at, interaction_date from interactions
        union all
        select customer_id, null, refund_date from refunds where is_credit_note
        union all
        select customer_id, null, contacted_at::date
        from (
            from build.raw.shop__campaign_contacts
            qualify row_number() over (
                partition by campaign_id, customer_id order by _delivery_id desc, _row_number desc
            ) = 1
        )
        where lower(arm) in ('treatment', 'control') and is_dated(contacted_at, _delivered_at)
    )
    group by customer_id
)
where known_since is null or known_since <= getvariable('as_of_date');

-- Everybody's measures. The one pass over all lines, and with it the one over all orders: a sum per
-- order, then with what refunds take back and who else is there a sum per customer.
create temp table measures as
with

order_totals as (
    select
        order_key,
        any_value(customer_id) as customer_id,
        any_value(ordered_at) as ordered_at,
        sum(net) as net,
        sum(net) filter (where cost is not null) as covered,
        sum(cost) as cost,
        bit_or(category_bits) as category_bits
    from (
        select
            order_key, customer_id, ordered_at, category_bits,
            cents(line_amount, rate) as net,
            line_cost(quantity, unit_cost, product_unit_cost, rate) as cost
        from accepted_lines
        right join (
            from accepted('ordered') where customer_id is not null and discount_amount is null
        ) using (order_id)
        union all
        select order_key, customer_id, ordered_at, category_bits, net, cost
        from valued_lines
        where is_discounted and customer_id is not null
    )
    group by order_key
),

movements as (
    select
        customer_id,
        ordered_at as activated_at,
        ordered_at::date as movement_date,
        case when net > 0 and voided_on is null then ordered_at::date end as counted_date,
        net, covered, cost, category_bits
    from order_totals
    left join voided_orders using (order_key)
    union all by name
    select
        customer_id, refund_date as movement_date, -net as net,
        case when cost is not null then -net end as covered, -cost as cost
    from (
        select customer_id, refund_date, net, cost from refund_entries where net <> 0 or cost <> 0
        union all
        select customer_id, refund_date, amount, null from refunds where is_credit_note
    )
    where customer_id is not null
    union all by name
    select customer_id, activated_at from existing_customers
)

select
    'shop:' || customer_id as customer_id,
    min(activated_at) as activated_at,
    getvariable('as_of_date') - min(counted_date) as tenure_days,
    getvariable('as_of_date') - max(counted_date) as recency_days,
    list(counted_date) filter (where counted_date is not null) as counted_dates,
    count(counted_date) as orders_to_date,
    count(*) filter (where counted_date > getvariable('look_back_after')) as frequency,
    count(*) filter (where counted_date > getvariable('after_24m')) as orders_24m,
    count(*) filter (where counted_date > getvariable('after_12m')) as orders_12m,
    coalesce(sum(net), 0)::decimal(18, 2) as net_to_date,
    (sum(covered) - sum(cost))::decimal(18, 2) as margin_to_date,
    coalesce(
        sum(net) filter (where movement_date > getvariable('look_back_after')), 0
    )::decimal(18, 2) as monetary,
    coalesce(sum(net) filter (where movement_date > getvariable('after_12m')), 0)::decimal(18, 2)
        as net_12m,
    coalesce(sum(net) filter (where movement_date > getvariable('after_6m')), 0)::decimal(18, 2)
        as net_6m,
    coalesce(
        sum(covered) filter (where movement_date > getvariable('after_12m')), 0
    )::decimal(18, 2) as covered_12m,
    (
        sum(covered) filter (where movement_date > getvariable('after_12m'))
        - sum(cost) filter (where movement_date > getvariable('after_12m'))
    )::decimal(18, 2) as margin_12m,
    bit_or(category_bits) filter (where counted_date > getvariable('after_12m')) as category_bits
from movements
group by customer_id;

create table customer_rfm as
with buyers as (
    select
        customer_id,
        count(*) over () as buyers,
        rank() over (order by recency_days) - 1 as fresher,
        rank() over (order by frequency) - 1 as rarer,
        rank() over (order by monetary) - 1 as smaller
    from measures
    where frequency > 0
),

scores as (
    select
        customer_id,
        -- ceil(5 x share of the same or a greater recency), 1 + floor(5 x share strictly below)
        ((5 * (buyers - fresher) + buyers - 1) // buyers)::int as r_score,
        (1 + 5 * rarer // buyers)::int as f_score,
        (1 + 5 * smaller // buyers)::int as m_score
    from buyers
    where buyers >= setting('minimum_buyers_to_rank')::bigint
    union all
    select customer_id, 1, 1, 1 from measures where frequency = 0 and orders_to_date > 0
)

select
    getvariable('as_of_date') as as_of_date,
    customer_id,
    measures.recency_days::bigint as recency_days,
    measures.frequency,
    measures.monetary,
    scores.r_score,
    scores.f_score,
    scores.m_score,
    scores.r_score::varchar || scores.f_score || scores.m_score as rfm_code,
    case
        when measures.orders_to_date = 0 then 'prospect'
        else coalesce(rfm_map.rfm_segment, 'insufficient_evidence')
    end as rfm_segment,
    case
        when measures.orders_to_date = 0 then 'prospect'
        else coalesce(rfm_map.headline_segment, 'insufficient_evidence')
    end as headline_segment
from measures
left join scores using (customer_id)
left join build.seeds.rfm_map as rfm_map using (r_score, f_score, m_score);

create temp table bands as
select
    dimension,
    code,
    measure,
    points,
    coalesce(lower_bound, -999999999999)::decimal(18, 6) as lower_bound,
    coalesce(upper_bound, 999999999999)::decimal(18, 6) as upper_bound
from build.seeds.bands
where
    getvariable('as_of_date') >= valid_from
    and (valid_to is null or getvariable('as_of_date') <= valid_to);

-- Of those with an order in the year before the last, who has none in the last churned: by the year
-- of the first order, and of everybody. A life is `dividend / divisor` years, exactly.
set variable churn = (
    select map(array_agg(cohort), array_agg(churn))
    from (
        select
            case when grouping(first_year) = 0 then first_year::varchar else 'population' end as cohort,
            struct_pack(
                cohort := cohort,
                yearly := (count(*) filter (where orders_12m = 0))::double / count(*),
                dividend := case
                    when
                        count(*) filter (where orders_12m = 0)
                        * setting('maximum_life_years')::bigint <= count(*)
                        then setting('maximum_life_years')::bigint
                    else count(*)
                end,
                divisor := case
                    when
                        count(*) filter (where orders_12m = 0)
                        * setting('maximum_life_years')::bigint <= count(*)
                        then 1
                    else count(*) filter (where orders_12m = 0)
                end
            ) as churn
        from (
            select orders_12m, year(getvariable('as_of_date') - tenure_days::int) as first_year
            from measures
            where orders_24m > orders_12m
        )
        group by grouping sets ((first_year), ())
        having
            count(*) >= setting('minimum_cohort_customers')::bigint
            and getvariable('after_24m') - getvariable('fact_days').first >= -1
    )
);

create table customer_value as
with

valued_customers as (
    select
        *,
        case
            when net_12m <= 0 or covered_12m <= 0 then null
            when
                covered_12m
                < setting('margin_coverage_minimum')::decimal(18, 6) * net_12m::decimal(19, 2)
                then null
            else (margin_12m * 100)::double / (covered_12m * 100)::double
        end as margin_rate,
        (net_12m * 100)::double / nullif(orders_12m, 0) as average_cents,
        greatest(setting('days_12m')::bigint, tenure_days) as observed_days,
        case
            when orders_to_date > 0
                then coalesce(
                    getvariable('churn')[
                        year(getvariable('as_of_date') - tenure_days::int)::varchar
                    ],
                    getvariable('churn')['population']
                )
        end as churn
    from measures
),

better_revenues as (
    select
        customer_id,
        sum(net_12m) over () as total,
        sum(net_12m) over (order by net_12m desc) - net_12m * count(*) over (partition by net_12m)
            as better
    from measures
    where net_12m > 0
),

abc_classes as (
    select customer_id, bands.code as abc_class
    from better_revenues
    inner join bands
        on
            bands.dimension = 'abc_class'
            and better >= bands.lower_bound * total
            and better < bands.upper_bound * total
),

order_value_cuts as (
    select coalesce(setting('order_value_cut')::double * 100, median(average_cents)) as cut
    from valued_customers
)

select
    getvariable('as_of_date') as as_of_date,
    customers.customer_id,
    customers.net_12m as net_revenue_12m,
    customers.orders_12m,
    customers.margin_12m,
    case when customers.orders_to_date > 0 then customers.margin_rate end as margin_rate_12m,
    spend.code as spend_band,
    frequency.code as frequency_band,
    case when customers.orders_to_date > 0 then coalesce(margin.code, 'unknown') end
        as margin_band,
    (spend.points + frequency.points + coalesce(margin.points, 0))::int as value_points,
    tiers.code as value_tier,
    'high' in (spend.code, frequency.code, margin_band)
    and 'low' in (spend.code, frequency.code, margin_band) as has_conflicting_bands,
    case when customers.orders_to_date > 0 then coalesce(abc_classes.abc_class, 'C') end
        as abc_class,
    (round(customers.average_cents)::bigint * 0.01)::decimal(18, 2) as average_order_value_12m,
    groups.order_value_group,
    case
        when customers.category_bits is null then 0
        when customers.category_bits > 1 then bit_count(customers.category_bits) - 1
    end::bigint as category_count_12m,
    customers.net_to_date as clv_historic_revenue,
    customers.margin_to_date as clv_historic_margin,
    (
        round((customers.net_to_date * 100)::double / nullif(customers.orders_to_date, 0))::bigint
        * 0.01
    )::decimal(18, 2) as average_order_value,
    case
        when customers.orders_to_date > 0
            then
                (customers.orders_to_date * setting('days_12m')::bigint)::double
                / customers.observed_days
    end as orders_per_year,
    customers.churn.dividend::double / customers.churn.divisor as expected_years,
    customers.churn.yearly as yearly_churn,
    customers.churn.cohort as churn_cohort,
    -- Half a cent is added to the amount before it is cut, in whole numbers: exact.
    case
        when customers.orders_to_date > 0
            then
                sign(customers.net_to_date) * (
                    (
                        2 * abs(customers.net_to_date * 100)::bigint
                        * setting('days_12m')::bigint * customers.churn.dividend
                        + customers.observed_days * customers.churn.divisor
                    ) // (2 * customers.observed_days * customers.churn.divisor)
                ) * 0.01
    end::decimal(18, 2) as clv_formula
from valued_customers as customers
cross join order_value_cuts
left join abc_classes using (customer_id)
left join bands as spend
    on
        spend.dimension = 'spend_band'
        and customers.orders_to_date > 0
        and customers.net_12m >= spend.lower_bound
        and customers.net_12m < spend.upper_bound
left join bands as frequency
    on
        frequency.dimension = 'frequency_band'
        and customers.orders_to_date > 0
        and customers.orders_12m >= frequency.lower_bound
        and customers.orders_12m < frequency.upper_bound
left join bands as margin
    on
        margin.dimension = 'margin_band'
        and customers.orders_to_date > 0
        and customers.margin_rate >= margin.lower_bound
        and customers.margin_rate < margin.upper_bound
left join bands as tiers
    on
        tiers.dimension = 'value_tier'
        and tiers.measure = case
            when margin.code is null then 'points_of_two_bands' else 'points_of_three_bands'
        end
        and (spend.points + frequency.points + coalesce(margin.points, 0)) >= tiers.lower_bound
        and (spend.points + frequency.points + coalesce(margin.points, 0)) < tiers.upper_bound
left join bands as often
    on
        often.dimension = 'order_frequency'
        and customers.orders_12m >= often.lower_bound
        and customers.orders_12m < often.upper_bound
left join build.seeds.order_value_groups as groups
    on
        groups.frequency_level = often.code
        and groups.value_level = case
            when customers.average_cents is null then 'none'
            when customers.average_cents >= order_value_cuts.cut then 'high'
            else 'low'
        end
        and getvariable('as_of_date') >= groups.valid_from
        and (groups.valid_to is null or getvariable('as_of_date') <= groups.valid_to);

-- Lifecycle. The alternatives keep their bounds in the seed; their order is written down here.
set variable stages = (
    select map(array_agg(rule_id), array_agg(stages))
    from build.seeds.lifecycle_stages as stages
    where
        getvariable('as_of_date') >= valid_from
        and (valid_to is null or getvariable('as_of_date') <= valid_to)
);
create macro stage(name) as getvariable('stages')['lifecycle_stage.' || name];

-- Gaps are differences of neighbours in the sorted days; orders of one day have none between them.
create temp table rhythm as
select
    customer_id,
    recency_days,
    days,
    gap_days,
    1 + len(gap_days) as order_days,
    list_median(gap_days) as median_gap_days,
    case when len(gap_days) > 1 then list_stddev_samp(gap_days) / list_avg(gap_days) end
        as gap_variation
from (
    select
        *,
        list_filter(
            list_transform(list_zip(days[2:], days[:-2]), lambda pair: pair[1] - pair[2]),
            lambda gap: gap > 0
        ) as gap_days
    from (
        select customer_id, recency_days, list_sort(counted_dates) as days
        from measures
        where orders_to_date > 0
    )
);

set variable population_median_gap = (
    select median(median_gap_days::double)::decimal(9, 2) from rhythm
);

-- Few gaps of the last days are long, and of each the customer's others are looked at.
create temp table comebacks as
select customer_id, count(*) as comeback_count
from (
    select
        *,
        list_median(list_filter(
            list_transform(
                list_zip(days[2:], days[:-2]),
                lambda pair: case when pair[1] <> ended_on then pair[1] - pair[2] end
            ), lambda gap: gap > 0
        )) as other_median_gap_days
    from (
        select customer_id, days, unnest(days[2:]) as ended_on, unnest(days[:-2]) as began_on
        from rhythm
        where
            recency_days < setting('comeback_days')::int
            and list_max(gap_days) > setting('minimum_comeback_gap_days')::int
    )
    where
        ended_on - began_on > setting('minimum_comeback_gap_days')::int
        and getvariable('as_of_date') - ended_on < setting('comeback_days')::int
)
where
    other_median_gap_days is null
    or ended_on - began_on
    > setting('comeback_gap_multiple')::decimal(9, 4) * other_median_gap_days::decimal(9, 2)
group by customer_id;

create table customer_lifecycle as
with gathered as (
    select
        measures.*,
        coalesce(rhythm.order_days, 0) as order_days,
        rhythm.median_gap_days,
        rhythm.gap_variation,
        coalesce(comebacks.comeback_count, 0) as comeback_count,
        setting('churn_gap_multiple')::double * rhythm.median_gap_days - measures.recency_days
            as days_until_churn,
        greatest(
            setting('minimum_decline_days')::double,
            setting('decline_gap_multiple')::double * coalesce(
                rhythm.median_gap_days, getvariable('population_median_gap')::double, 0
            )
        ) - measures.recency_days as days_until_decline,
        -- Of whole cents, so that a fall to exactly a half is a half.
        case
            when net_12m > net_6m
                then ((net_12m - 2 * net_6m) * 100)::double / ((net_12m - net_6m) * 100)::double
        end as revenue_fall_rate
    from measures
    left join rhythm using (customer_id)
    left join comebacks using (customer_id)
)

select
    getvariable('as_of_date') as as_of_date,
    customer_id,
    case
        when orders_to_date < stage('acquisition').orders_to_date_below then 'acquisition'
        when
            recency_days >= stage('churned_long_ago').recency_days_from
            or (
                order_days >= stage('churned_by_rhythm').order_days_from
                and recency_days >= stage('churned_by_rhythm').recency_days_from
                and days_until_churn < stage('churned_by_rhythm').days_until_churn_below
            )
            then 'churned'
        when
            order_days < stage('new').order_days_below
            and recency_days < stage('new').recency_days_below
            then 'new'
        when comeback_count >= stage('reactivated').comebacks_from then 'reactivated'
        when
            days_until_decline < stage('decline_overdue').days_until_decline_below
            or revenue_fall_rate >= stage('decline_fall').revenue_fall_rate_from
            then 'decline'
        when
            orders_to_date < stage('growth_few_orders').orders_to_date_below
            or tenure_days < stage('growth_young').tenure_days_below
            then 'growth'
        else 'maturity'
    end as lifecycle_stage,
    case when activated_at::date <= getvariable('as_of_date') then activated_at end as activated_at,
    tenure_days::bigint as tenure_days,
    orders_to_date,
    order_days::bigint as order_day_count,
    median_gap_days,
    gap_variation,
    days_until_churn,
    case when orders_to_date > 0 then days_until_decline end as days_until_decline,
    revenue_fall_rate,
    comeback_count
from gathered;
