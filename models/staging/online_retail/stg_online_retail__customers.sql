-- Grain: one row per customer number in Online Retail II.
-- The file has no master data but a country on every line; the newest line's holds.
with

invoice_lines as (
    select * from {{ ref('stg_online_retail__invoice_lines') }}
    where rejection_reason is null and customer_id is not null
),

newest_lines as (

    select *
    from invoice_lines
    qualify row_number() over (
        partition by customer_id
        order by
            invoiced_at desc nulls last,
            delivery_id desc nulls last,
            row_number desc nulls last
    ) = 1

),

customers as (

    select
        customer_id,
        cast(null as {{ dbt.type_string() }}) as customer_type,
        country,
        cast(null as {{ dbt.type_string() }}) as region,
        cast(null as {{ dbt.type_string() }}) as city,
        cast(null as {{ dbt.type_string() }}) as industry,
        cast(null as decimal(18, 6)) as annual_revenue,
        cast(null as date) as birth_date,
        cast(null as {{ dbt.type_string() }}) as preferred_contact_channel,
        cast(null as {{ dbt.type_string() }}) as acquisition_channel,
        cast(null as timestamp) as registered_at,
        cast(null as timestamp) as verified_at,
        cast(null as date) as registered_date,
        cast(null as date) as verified_date
    from newest_lines

)

select * from customers
