-- Grain: one row per accepted order.
with

orders as (
    select * from {{ ref('int_orders__valued') }}
    where {{ is_touched('order_id', ref('int_orders__touched')) }}
),

published_orders as (

    select
        order_id,
        source,
        customer_id,
        order_date,
        ordered_at,
        channel,
        currency,
        net_amount,
        margin_amount,
        discount_amount,
        tax_amount,
        shipping_amount,
        cast(line_count as bigint) as line_count,
        is_countable,
        voided_on
    from orders

)

select * from published_orders
