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
        {{ round_money(
            'cast(orders.tax_amount as decimal(25, 12)) * orders.exchange_rate'
        ) }} as tax_amount,
        {{ round_money(
            'cast(orders.shipping_amount as decimal(25, 12)) * orders.exchange_rate'
        ) }} as shipping_amount
    from orders
    inner join increment
        on orders.order_date <= increment.last_day
    where
        orders.rejection_reason is null
        and {{ is_touched('orders.order_id', ref('int_orders__touched')) }}

)

select * from accepted_orders
