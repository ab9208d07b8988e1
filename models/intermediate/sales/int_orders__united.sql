-- Grain: one row per accepted order of any source, of the days that this warehouse may know.
with

orders as (
    {{ union_sources('orders', [
        'order_id', 'customer_id', 'ordered_at', 'order_date', 'channel', 'currency',
        'exchange_rate', 'discount_amount', 'tax_amount', 'shipping_amount', 'rejection_reason'
    ]) }}
),

increment as (
    select * from {{ ref('stg_control__increment') }}
),

accepted_orders as (

    select
        orders.source,
        orders.order_id,
        orders.customer_id,
        orders.ordered_at,
        orders.order_date,
        orders.channel,
        orders.currency,
        orders.exchange_rate,
        orders.discount_amount,
        {{ round_money('orders.tax_amount', 'orders.exchange_rate') }} as tax_amount,
        {{ round_money('orders.shipping_amount', 'orders.exchange_rate') }}
            as shipping_amount
    from orders
    cross join increment
    where
        orders.rejection_reason is null
        -- As an inequality the planner takes it for a choice among all days.
        and least(orders.order_date, increment.last_day) = orders.order_date

)

select * from accepted_orders
