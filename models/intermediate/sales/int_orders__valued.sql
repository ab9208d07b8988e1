-- Grain: one row per accepted order, with what its lines add up to and the day that voided it.
with

orders as (
    select * from {{ ref('int_orders__united') }}
    where {{ is_touched('order_id', ref('int_orders__touched')) }}
),

order_lines as (
    select * from {{ ref('int_order_lines__valued') }}
    where {{ is_touched('order_id', ref('int_orders__touched')) }}
),

allocated_refunds as (
    select * from {{ ref('int_refunds__allocated') }}
    where {{ is_touched('order_id', ref('int_orders__touched')) }}
),

order_totals as (

    select
        order_id,
        sum(net_amount) as net_amount,
        sum(case when cost_amount is not null then net_amount else 0 end)
            as covered_net_amount,
        sum(cost_amount) as cost_amount,
        sum(discount_amount) as discount_amount,
        count(*) as line_count
    from order_lines
    group by order_id

),

refunded_days as (

    select
        order_id,
        refund_date,
        order_net_amount,
        sum(line_refund_amount) as refunded_amount
    from allocated_refunds
    group by order_id, refund_date, order_net_amount

),

refunded_so_far as (

    select
        order_id,
        refund_date,
        order_net_amount,
        sum(refunded_amount) over (
            partition by order_id
            order by refund_date asc nulls first
            rows between unbounded preceding and current row
        ) as refunded_amount
    from refunded_days

),

voided_orders as (

    select
        order_id,
        min(refund_date) as voided_on
    from refunded_so_far
    where order_net_amount > 0 and refunded_amount >= order_net_amount
    group by order_id

),

valued_orders as (

    select
        orders.source,
        orders.order_id,
        orders.customer_id,
        orders.ordered_at,
        orders.order_date,
        orders.channel,
        orders.currency,
        cast(coalesce(order_totals.net_amount, 0) as decimal(18, 2)) as net_amount,
        cast(
            order_totals.covered_net_amount - order_totals.cost_amount as decimal(18, 2)
        ) as margin_amount,
        cast(coalesce(order_totals.discount_amount, 0) as decimal(18, 2))
            as discount_amount,
        orders.tax_amount,
        orders.shipping_amount,
        coalesce(order_totals.line_count, 0) as line_count,
        -- An order that nets to nothing or less is no order in counts, ever.
        coalesce(order_totals.net_amount, 0) > 0 as is_countable,
        voided_orders.voided_on
    from orders
    left join order_totals
        on orders.order_id = order_totals.order_id
    left join voided_orders
        on orders.order_id = voided_orders.order_id

)

select * from valued_orders
