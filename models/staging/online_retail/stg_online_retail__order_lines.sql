-- Grain: one row per accepted sale line of Online Retail II.
with

invoice_lines as (
    select * from {{ ref('stg_online_retail__invoice_lines') }}
    where rejection_reason is null and not is_credit and treatment <> 'shipping'
),

order_lines as (

    select
        order_id,
        line_number,
        case when treatment = 'product' then 'online_retail:' || product_code end
            as product_id,
        quantity,
        unit_price,
        cast(0 as decimal(18, 6)) as discount_amount,
        cast(null as decimal(18, 6)) as unit_cost,
        rejection_reason,
        delivery_id,
        row_number
    from invoice_lines

)

select * from order_lines
