-- Grain: one row per mart and measure, what the mart adds up to beside what the ledger says.
-- mart_total + guest_total - ledger_total = difference, and every difference is 0.00. Customer marts
-- hold no guests, so their guests come from the ledger; facts hold their own.
with

settings as (

    select settings.*
    from {{ ref('int_settings__by_as_of') }} as settings
    inner join {{ ref('int_as_of_dates') }} as as_of_dates
        on settings.as_of_date = as_of_dates.as_of_date
    where as_of_dates.is_newest

),

entries as (

    select
        sales_ledger.entry_type in ('order_line', 'return_line') as is_line,
        sales_ledger.customer_id is null as is_guest,
        sales_ledger.net_amount,
        sales_ledger.cost_amount,
        sales_ledger.net_amount - sales_ledger.cost_amount as margin_amount,
        sales_ledger.ledger_date > settings.look_back_after as is_in_look_back,
        sales_ledger.ledger_date > settings.after_12m as is_in_12m
    from {{ ref('sales_ledger') }} as sales_ledger
    inner join settings
        on sales_ledger.ledger_date <= settings.as_of_date

),

ledger_sums as (

    select
        is_guest,
        sum(net_amount) filter (where is_line) as line_revenue,
        sum(cost_amount) filter (where is_line) as line_cost,
        sum(margin_amount) filter (where is_line) as line_margin,
        -sum(net_amount) filter (where not is_line) as refunded,
        sum(net_amount) filter (where is_in_look_back) as revenue_look_back,
        sum(net_amount) filter (where is_in_12m) as revenue_12m,
        sum(margin_amount) filter (where is_in_12m) as margin_12m
    from entries
    group by is_guest

),

order_counts as (

    select
        orders.customer_id is null as is_guest,
        count(*) as orders_12m
    from {{ ref('orders') }} as orders
    inner join settings
        on
            orders.order_date > settings.after_12m
            and orders.order_date <= settings.as_of_date
    where
        orders.is_countable
        and (orders.voided_on is null or orders.voided_on > settings.as_of_date)
    group by orders.customer_id is null

),

ledger_totals as (
    {% for measure in [
        'line_revenue', 'line_cost', 'line_margin', 'refunded', 'revenue_look_back',
        'revenue_12m', 'margin_12m'
    ] %}
    select
        '{{ measure }}' as ledger_measure,
        sum({{ measure }}) as ledger_total,
        sum({{ measure }}) filter (where is_guest) as guest_total
    from ledger_sums
    union all
    {% endfor %}
    select
        'orders_12m' as ledger_measure,
        sum(orders_12m) as ledger_total,
        sum(orders_12m) filter (where is_guest) as guest_total
    from order_counts
),

mart_totals as (
    {% for mart, measure, ledger_measure, holds_guests in [
        ('orders', 'net_amount', 'line_revenue', true),
        ('orders', 'margin_amount', 'line_margin', true),
        ('order_lines', 'net_amount', 'line_revenue', true),
        ('order_lines', 'cost_amount', 'line_cost', true),
        ('refunds', 'refund_amount', 'refunded', true),
        ('customer_rfm', 'monetary', 'revenue_look_back', false),
        ('customer_value', 'net_revenue_12m', 'revenue_12m', false),
        ('customer_value', 'margin_12m', 'margin_12m', false),
        ('customer_value', 'orders_12m', 'orders_12m', false),
        ('customer_profiles', 'net_revenue_12m', 'revenue_12m', false),
        ('customer_profiles', 'orders_12m', 'orders_12m', false),
        ('customer_segments', 'net_revenue_12m', 'revenue_12m', false),
        ('segment_summary', 'net_revenue_12m', 'revenue_12m', false)
    ] %}
    select
        '{{ mart }}' as mart,
        '{{ measure }}' as measure,
        '{{ ledger_measure }}' as ledger_measure,
        {{ holds_guests }} as holds_guests,
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
        cast(coalesce(mart_totals.mart_total, 0) as decimal(18, 2)) as mart_total,
        cast(
            case
                when mart_totals.holds_guests then 0
                else coalesce(ledger_totals.guest_total, 0)
            end as decimal(18, 2)
        ) as guest_total,
        cast(coalesce(ledger_totals.ledger_total, 0) as decimal(18, 2)) as ledger_total
    from mart_totals
    inner join ledger_totals
        on mart_totals.ledger_measure = ledger_totals.ledger_measure

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
