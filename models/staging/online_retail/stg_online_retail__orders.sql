-- Grain: one row per invoice of Online Retail II with an accepted sale or shipping line.
-- The file has no status: what is not accepted was set aside line by line.
with

invoice_lines as (
    select * from {{ ref('stg_online_retail__invoice_lines') }}
    where rejection_reason is null and not is_credit
),

fact_settings as (
    select * from {{ ref('stg_rules__fact_settings') }}
),

invoices as (

    select
        order_id,
        -- Eighty-three invoices run over a minute: the first one is when it was ordered.
        max(customer_id) as customer_id,
        min(invoiced_at) as ordered_at,
        min(invoice_date) as order_date,
        sum(
            case
                when treatment = 'shipping'
                    then cast(quantity as decimal(19, 6)) * unit_price
                else 0
            end
        ) as shipping_amount,
        max(delivery_id) as delivery_id,
        min(row_number) as row_number
    from invoice_lines
    group by order_id

),

orders as (

    select
        invoices.order_id,
        invoices.customer_id,
        invoices.ordered_at,
        invoices.order_date,
        cast(null as {{ dbt.type_string() }}) as channel,
        fact_settings.base_currency as currency,
        cast(1 as decimal(12, 6)) as exchange_rate,
        cast(0 as decimal(18, 6)) as discount_amount,
        cast(0 as decimal(18, 6)) as tax_amount,
        cast(invoices.shipping_amount as decimal(18, 6)) as shipping_amount,
        cast(null as {{ dbt.type_string() }}) as rejection_reason,
        invoices.delivery_id,
        invoices.row_number
    from invoices
    cross join fact_settings

)

select * from orders
