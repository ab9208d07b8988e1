-- Grain: one row per mart and measure, what the mart adds up to beside what the ledger says.
-- mart_total + guest_total - ledger_total = difference, and every difference is 0.00.
with

as_of_dates as (
    select * from {{ ref('int_as_of_dates') }}
    where is_newest
),

settings as (
    select * from {{ ref('int_settings__by_as_of') }}
),

ledger as (

    select
        sales_ledger.*,
        sales_ledger.ledger_date > settings.look_back_after
        and sales_ledger.ledger_date <= settings.as_of_date as is_in_look_back,
        sales_ledger.ledger_date > settings.after_12m
        and sales_ledger.ledger_date <= settings.as_of_date as is_in_12m
    from {{ ref('sales_ledger') }} as sales_ledger
    cross join as_of_dates
    inner join settings
        on as_of_dates.as_of_date = settings.as_of_date

),

orders as (
    select * from {{ ref('orders') }}
),

order_lines as (
    select * from {{ ref('order_lines') }}
),

refunds as (
    select * from {{ ref('refunds') }}
),

customer_rfm as (
    select * from {{ ref('customer_rfm') }}
),

customer_value as (
    select * from {{ ref('customer_value') }}
),

customer_segments as (
    select * from {{ ref('customer_segments') }}
),

segment_summary as (
    select * from {{ ref('segment_summary') }}
),

ledger_totals as (

    select
        sum(net_amount) filter (where entry_type in ('order_line', 'return_line'))
            as line_revenue,
        sum(cost_amount) filter (where entry_type in ('order_line', 'return_line'))
            as line_cost,
        sum(net_amount) filter (
            where
            entry_type in ('order_line', 'return_line')
            and cost_amount is not null
        ) as covered_line_revenue,
        -sum(net_amount) filter (where entry_type in ('refund', 'credit_note'))
            as refunded,
        sum(net_amount) filter (where is_in_look_back) as look_back_revenue,
        sum(net_amount) filter (where is_in_look_back and customer_id is null)
            as guest_look_back_revenue,
        sum(net_amount) filter (where is_in_12m) as revenue_12m,
        sum(net_amount) filter (where is_in_12m and customer_id is null)
            as guest_revenue_12m,
        sum(net_amount - cost_amount) filter (where is_in_12m) as margin_12m,
        sum(net_amount - cost_amount) filter (
            where is_in_12m and customer_id is null
        ) as guest_margin_12m
    from ledger

),

order_counts as (

    select
        count(*) as orders_12m,
        count(*) filter (where orders.customer_id is null) as guest_orders_12m
    from orders
    cross join as_of_dates
    inner join settings
        on as_of_dates.as_of_date = settings.as_of_date
    where
        orders.is_countable
        and orders.order_date > settings.after_12m
        and orders.order_date <= settings.as_of_date
        and (orders.voided_on is null or orders.voided_on > settings.as_of_date)

),

comparisons as (

    select
        'orders' as mart,
        'net_amount' as measure,
        (
            select sum(orders.net_amount)
            from orders
            where orders.customer_id is not null
        ) as mart_total,
        (
            select sum(orders.net_amount)
            from orders
            where orders.customer_id is null
        ) as guest_total,
        ledger_totals.line_revenue as ledger_total
    from ledger_totals

    union all

    select
        'orders' as mart,
        'margin_amount' as measure,
        (
            select sum(orders.margin_amount)
            from orders
            where orders.customer_id is not null
        ) as mart_total,
        (
            select sum(orders.margin_amount)
            from orders
            where orders.customer_id is null
        ) as guest_total,
        ledger_totals.covered_line_revenue - ledger_totals.line_cost as ledger_total
    from ledger_totals

    union all

    select
        'order_lines' as mart,
        'net_amount' as measure,
        (
            select sum(order_lines.net_amount)
            from order_lines
        ) as mart_total,
        0 as guest_total,
        ledger_totals.line_revenue as ledger_total
    from ledger_totals

    union all

    select
        'order_lines' as mart,
        'cost_amount' as measure,
        (
            select sum(order_lines.cost_amount)
            from order_lines
        ) as mart_total,
        0 as guest_total,
        ledger_totals.line_cost as ledger_total
    from ledger_totals

    union all

    select
        'refunds' as mart,
        'refund_amount' as measure,
        (
            select sum(refunds.refund_amount)
            from refunds
            where refunds.customer_id is not null
        ) as mart_total,
        (
            select sum(refunds.refund_amount)
            from refunds
            where refunds.customer_id is null
        ) as guest_total,
        ledger_totals.refunded as ledger_total
    from ledger_totals

    union all

    select
        'customer_rfm' as mart,
        'monetary' as measure,
        (
            select sum(customer_rfm.monetary)
            from customer_rfm
        ) as mart_total,
        ledger_totals.guest_look_back_revenue as guest_total,
        ledger_totals.look_back_revenue as ledger_total
    from ledger_totals

    union all

    select
        'customer_value' as mart,
        'net_revenue_12m' as measure,
        (
            select sum(customer_value.net_revenue_12m)
            from customer_value
        ) as mart_total,
        ledger_totals.guest_revenue_12m as guest_total,
        ledger_totals.revenue_12m as ledger_total
    from ledger_totals

    union all

    select
        'customer_value' as mart,
        'margin_12m' as measure,
        (
            select sum(customer_value.margin_12m)
            from customer_value
        ) as mart_total,
        ledger_totals.guest_margin_12m as guest_total,
        ledger_totals.margin_12m as ledger_total
    from ledger_totals

    union all

    select
        'customer_value' as mart,
        'orders_12m' as measure,
        (
            select sum(customer_value.orders_12m)
            from customer_value
        ) as mart_total,
        order_counts.guest_orders_12m as guest_total,
        order_counts.orders_12m as ledger_total
    from order_counts

    union all

    select
        'customer_segments' as mart,
        'net_revenue_12m' as measure,
        (
            select sum(customer_segments.net_revenue_12m)
            from customer_segments
        ) as mart_total,
        ledger_totals.guest_revenue_12m as guest_total,
        ledger_totals.revenue_12m as ledger_total
    from ledger_totals

    union all

    select
        'segment_summary' as mart,
        'net_revenue_12m' as measure,
        (
            select sum(segment_summary.net_revenue_12m)
            from segment_summary
        ) as mart_total,
        ledger_totals.guest_revenue_12m as guest_total,
        ledger_totals.revenue_12m as ledger_total
    from ledger_totals

),

reconciled as (

    select
        mart || ':' || measure as reconciliation_id,
        mart,
        measure,
        cast(coalesce(mart_total, 0) as decimal(18, 2)) as mart_total,
        cast(coalesce(guest_total, 0) as decimal(18, 2)) as guest_total,
        cast(coalesce(ledger_total, 0) as decimal(18, 2)) as ledger_total
    from comparisons

),

compared as (

    select
        reconciliation_id,
        mart,
        measure,
        mart_total,
        guest_total,
        ledger_total,
        cast(mart_total + guest_total - ledger_total as decimal(18, 2)) as difference
    from reconciled

)

select * from compared
