-- Grain: one row per accepted order of any source.
with

orders as (
    {{ union_sources('orders', [
        'order_id', 'customer_id', 'ordered_at', 'order_date', 'channel', 'currency',
        'exchange_rate', 'discount_amount', 'tax_amount', 'shipping_amount', 'rejection_reason'
    ]) }}
),

accepted_orders as (

    select
        source,
        order_id,
        customer_id,
        ordered_at,
        order_date,
        channel,
        currency,
        exchange_rate,
        discount_amount,
        {{ round_money('cast(tax_amount as decimal(25, 12)) * exchange_rate') }}
            as tax_amount,
        {{ round_money('cast(shipping_amount as decimal(25, 12)) * exchange_rate') }}
            as shipping_amount
    from orders
    where rejection_reason is null

)

select * from accepted_orders
