-- Grain: one row per product code sold in Online Retail II.
-- Codes differ in letter case and names in spelling: codes are folded to capitals, the newest
-- name holds. The file has no categories and no costs.
with

invoice_lines as (
    select * from {{ ref('stg_online_retail__invoice_lines') }}
    where rejection_reason is null and treatment = 'product'
),

newest_lines as (

    select *
    from invoice_lines
    qualify row_number() over (
        partition by product_code
        order by
            case when description is null then 1 else 0 end asc nulls last,
            invoiced_at desc nulls last,
            delivery_id desc nulls last,
            row_number desc nulls last
    ) = 1

),

products as (

    select
        'online_retail:' || product_code as product_id,
        trim(description) as product_name,
        cast(null as {{ dbt.type_string() }}) as category,
        cast(null as {{ dbt.type_string() }}) as product_kind,
        cast(null as {{ dbt.type_string() }}) as price_tier,
        cast(null as decimal(18, 6)) as unit_cost
    from newest_lines

)

select * from products
