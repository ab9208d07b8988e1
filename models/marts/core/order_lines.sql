-- Grain: one row per line of an accepted order.
with

order_lines as (
    select * from {{ ref('int_order_lines__valued') }}
    where {{ is_touched('order_id', ref('int_orders__touched')) }}
),

published_lines as (

    select
        order_id || ':' || cast(line_number as {{ dbt.type_string() }})
            as order_line_id,
        order_id,
        line_number,
        product_id,
        cast(quantity as decimal(18, 6)) as quantity,
        cast(unit_price as decimal(18, 6)) as unit_price,
        discount_amount,
        net_amount,
        cost_amount
    from order_lines

)

select * from published_lines
