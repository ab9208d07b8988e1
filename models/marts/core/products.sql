-- Grain: one row per product.
with

products as (
    select * from {{ ref('int_products__united') }}
),

published_products as (

    select
        product_id,
        source,
        product_name,
        category,
        product_kind,
        price_tier,
        cast(unit_cost as decimal(18, 6)) as unit_cost
    from products

)

select * from published_products
