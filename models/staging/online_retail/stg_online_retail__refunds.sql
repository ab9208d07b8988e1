-- Grain: one row per accepted line of a credit note of Online Retail II.
-- A credit note names no invoice. It is taken to refund the latest earlier sale of the same customer,
-- code and price, one that sold enough pieces before one that sold fewer; without such a sale it
-- stays a credit note of its own.
with

invoice_lines as (
    select * from {{ ref('stg_online_retail__invoice_lines') }}
    where rejection_reason is null and treatment <> 'shipping'
),

credits as (

    select *
    from invoice_lines
    where is_credit

),

sales as (

    select *
    from invoice_lines
    where not is_credit and quantity > 0

),

matched_sales as (

    select
        credits.record_id,
        sales.order_id,
        sales.line_number
    from credits
    inner join sales
        on
            credits.customer_id = sales.customer_id
            and credits.product_code = sales.product_code
            and credits.unit_price = sales.unit_price
            and credits.invoiced_at >= sales.invoiced_at
    qualify row_number() over (
        partition by credits.record_id
        order by
            case
                when sales.quantity >= -credits.quantity then 0
                else 1
            end asc nulls last,
            sales.invoiced_at desc nulls last,
            sales.order_id desc nulls last,
            sales.line_number desc nulls last
    ) = 1

),

refunds as (

    select
        credits.record_id as refund_id,
        matched_sales.order_id,
        matched_sales.line_number,
        credits.customer_id,
        credits.invoiced_at as refunded_at,
        credits.invoice_date as refund_date,
        cast(
            cast(-credits.quantity as decimal(19, 6)) * credits.unit_price
            as decimal(18, 6)
        ) as amount,
        case
            when matched_sales.order_id is not null then -credits.quantity
        end as quantity,
        credits.description as reason,
        credits.rejection_reason,
        credits.delivery_id,
        credits.row_number
    from credits
    left join matched_sales
        on credits.record_id = matched_sales.record_id

)

select * from refunds
