-- Grain: one row per customer below the highest tier at the newest as-of, kind of change and band reached.
-- `orders` are more orders of the customer's own average value, `money` is more spent in as many orders as
-- before, or in one where the year has none. Cuts hold. A known margin rate stays; where it is unknown,
-- what is added has no known cost either.
with

segments as (
    select * from {{ ref('int_customers__segments') }}
    where is_newest
),

measures as (
    select * from {{ ref('int_customers__measures') }}
),

averages_to_date as (
    select * from {{ ref('int_customers__clv_formula') }}
),

settings as (
    select * from {{ ref('int_settings__by_as_of') }}
),

bands as (
    select * from {{ ref('int_bands__by_as_of') }}
),

tier_ranks as (
    select * from {{ ref('segment_ranks') }}
    where dimension = 'value_tier'
),

lower_tiers as (

    select
        code,
        segment_rank
    from tier_ranks
    qualify segment_rank > min(segment_rank) over ()

),

customers as (

    select
        segments.as_of_date,
        segments.customer_id,
        segments.orders_12m,
        segments.net_revenue_12m,
        segments.margin_12m,
        segments.margin_rate_12m,
        measures.covered_revenue_12m,
        settings.margin_coverage_minimum,
        lower_tiers.segment_rank as tier_rank,
        -- Of 12 months where that is an amount, else of all history.
        cast(100 * coalesce(
            nullif(greatest(segments.average_order_value_12m, 0), 0),
            nullif(greatest(averages_to_date.average_order_value, 0), 0)
        ) as bigint) as order_cents
    from segments
    inner join measures
        on
            segments.as_of_date = measures.as_of_date
            and segments.customer_id = measures.customer_id
    inner join averages_to_date
        on
            segments.as_of_date = averages_to_date.as_of_date
            and segments.customer_id = averages_to_date.customer_id
    inner join settings
        on segments.as_of_date = settings.as_of_date
    inner join lower_tiers
        on segments.value_tier = lower_tiers.code

),

-- What is missing to each higher band of spend, and to each of frequency.
missing as (

    select
        customers.*,
        bands.rule_id as reached_rule_id,
        case
            when bands.dimension = 'spend_band'
                then
                    cast(
                        ceil(100 * cast(bands.lower_bound as decimal(25, 6))) as bigint
                    ) - cast(100 * customers.net_revenue_12m as bigint)
        end as missing_cents,
        case
            when bands.dimension = 'frequency_band'
                then cast(ceil(bands.lower_bound) as bigint) - customers.orders_12m
        end as missing_orders
    from customers
    inner join bands
        on
            customers.as_of_date = bands.as_of_date
            and bands.lower_bound > case
                when bands.dimension = 'spend_band' then customers.net_revenue_12m
                when bands.dimension = 'frequency_band' then customers.orders_12m
            end

),

orders_missing as (

    select
        missing.*,
        coalesce(missing.missing_orders, {{ integer_quotient(
            'missing.missing_cents + missing.order_cents - 1', 'missing.order_cents'
        ) }}) as added_orders
    from missing
    where missing.order_cents is not null

),

changes as (

    select
        missing.*,
        cast(case when missing.orders_12m = 0 then 1 else 0 end as bigint)
            as added_orders,
        missing.missing_cents as added_cents,
        'money' as next_step_kind
    from missing
    where missing.missing_cents is not null

    union all

    select
        orders_missing.*,
        orders_missing.added_orders * orders_missing.order_cents as added_cents,
        'orders' as next_step_kind
    from orders_missing

),

steps as (

    select
        as_of_date,
        customer_id,
        tier_rank,
        next_step_kind,
        reached_rule_id,
        added_orders,
        cast(added_cents * cast(0.01 as decimal(3, 2)) as decimal(18, 2))
            as added_amount,
        orders_12m + added_orders as orders_12m,
        cast(
            net_revenue_12m + added_cents * cast(0.01 as decimal(3, 2))
            as decimal(18, 2)
        ) as net_revenue_12m,
        coalesce(margin_rate_12m, {{ margin_rate(
            'margin_12m', 'covered_revenue_12m',
            'net_revenue_12m + added_cents * cast(0.01 as decimal(3, 2))',
            'margin_coverage_minimum'
        ) }}) as margin_rate_12m
    from changes

)

select * from steps
