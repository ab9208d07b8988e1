-- Grain: one row per mart and measure, what the mart adds up to beside what the ledger says.
-- mart_total + guest_total - ledger_total = difference, and every difference is 0.00. A mart holds
-- everybody, the customers, or the buyers, who have a counted order; what the others add comes from
-- the facts, as does who is a buyer.
with

settings as (

    select settings.*
    from {{ ref('int_settings__by_as_of') }} as settings
    inner join {{ ref('int_as_of_dates') }} as as_of_dates
        on settings.as_of_date = as_of_dates.as_of_date
    where as_of_dates.is_newest

),

order_counts as (

    select
        orders.customer_id,
        count(*) filter (where orders.order_date > settings.after_12m) as orders_12m
    from {{ ref('orders') }} as orders
    inner join settings
        on orders.order_date <= settings.as_of_date
    where
        orders.is_countable
        and (orders.voided_on is null or orders.voided_on > settings.as_of_date)
    group by orders.customer_id

),

entries as (

    select
        sales_ledger.entry_type in ('order_line', 'return_line') as is_line,
        sales_ledger.customer_id is null as is_guest,
        order_counts.customer_id is not null as is_buyer,
        sales_ledger.net_amount,
        sales_ledger.cost_amount,
        sales_ledger.net_amount - sales_ledger.cost_amount as margin_amount,
        sales_ledger.ledger_date > settings.look_back_after as is_in_look_back,
        sales_ledger.ledger_date > settings.after_12m as is_in_12m
    from {{ ref('sales_ledger') }} as sales_ledger
    inner join settings
        on sales_ledger.ledger_date <= settings.as_of_date
    left join order_counts
        on sales_ledger.customer_id = order_counts.customer_id

),

ledger_sums as (

    select
        is_guest,
        is_buyer,
        sum(net_amount) as revenue,
        sum(margin_amount) as margin,
        sum(net_amount) filter (where is_line) as line_revenue,
        sum(cost_amount) filter (where is_line) as line_cost,
        sum(margin_amount) filter (where is_line) as line_margin,
        -sum(net_amount) filter (where not is_line) as refunded,
        sum(net_amount) filter (where is_in_look_back) as revenue_look_back,
        sum(net_amount) filter (where is_in_12m) as revenue_12m,
        sum(margin_amount) filter (where is_in_12m) as margin_12m
    from entries
    group by is_guest, is_buyer

),

facts as (
    {% for measure in [
        'revenue', 'margin', 'line_revenue', 'line_cost', 'line_margin',
        'refunded', 'revenue_look_back', 'revenue_12m', 'margin_12m'
    ] %}
    select
        '{{ measure }}' as ledger_measure,
        is_guest,
        is_buyer,
        {{ measure }} as amount
    from ledger_sums
    union all
    {% endfor %}
    select
        'orders_12m' as ledger_measure,
        customer_id is null as is_guest,
        customer_id is not null as is_buyer,
        sum(orders_12m) as amount
    from order_counts
    group by customer_id is null, customer_id is not null
),

mart_totals as (
    {% for mart, measure, ledger_measure, holds in [
        ('orders', 'net_amount', 'line_revenue', 'everybody'),
        ('orders', 'margin_amount', 'line_margin', 'everybody'),
        ('order_lines', 'net_amount', 'line_revenue', 'everybody'),
        ('order_lines', 'cost_amount', 'line_cost', 'everybody'),
        ('refunds', 'refund_amount', 'refunded', 'everybody'),
        ('customer_rfm', 'monetary', 'revenue_look_back', 'customers'),
        ('customer_value', 'net_revenue_12m', 'revenue_12m', 'customers'),
        ('customer_value', 'margin_12m', 'margin_12m', 'customers'),
        ('customer_value', 'orders_12m', 'orders_12m', 'customers'),
        ('customer_clv', 'clv_historic_revenue', 'revenue', 'customers'),
        ('customer_clv', 'clv_historic_margin', 'margin', 'customers'),
        ('customer_profiles', 'net_revenue_12m', 'revenue_12m', 'customers'),
        ('customer_profiles', 'orders_12m', 'orders_12m', 'customers'),
        ('customer_segments', 'net_revenue_12m', 'revenue_12m', 'customers'),
        ('segment_summary', 'net_revenue_12m', 'revenue_12m', 'customers'),
        ('cohort_retention', 'net_revenue', 'revenue', 'buyers')
    ] %}
    select
        '{{ mart }}' as mart,
        '{{ measure }}' as measure,
        '{{ ledger_measure }}' as ledger_measure,
        '{{ holds }}' as holds,
        sum({{ measure }}) as mart_total
    from {{ ref(mart) }}
    {% if not loop.last %}
    union all
    {% endif %}
    {% endfor %}
),

compared as (

    select
        mart_totals.mart,
        mart_totals.measure,
        cast(coalesce(max(mart_totals.mart_total), 0) as decimal(18, 2)) as mart_total,
        cast(
            coalesce(
                sum(facts.amount) filter (
                    where
                    (mart_totals.holds = 'customers' and facts.is_guest)
                    or (mart_totals.holds = 'buyers' and not facts.is_buyer)
                ), 0
            ) as decimal(18, 2)
        ) as guest_total,
        cast(coalesce(sum(facts.amount), 0) as decimal(18, 2)) as ledger_total
    from mart_totals
    left join facts
        on mart_totals.ledger_measure = facts.ledger_measure
    group by mart_totals.mart, mart_totals.measure

),

reconciled as (

    select
        mart || ':' || measure as reconciliation_id,
        mart,
        measure,
        mart_total,
        guest_total,
        ledger_total,
        cast(mart_total + guest_total - ledger_total as decimal(18, 2)) as difference
    from compared

)

select * from reconciled
