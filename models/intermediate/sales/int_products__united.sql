-- Grain: one row per product, delivered as master data or only named by an order line.
with

order_lines as (
    select * from {{ ref('int_order_lines__valued') }}
),

delivered_products as (
    {{ union_sources('products', [
        'product_id', 'product_name', 'category', 'product_kind', 'price_tier', 'unit_cost'
    ]) }}
),

sold_products as (

    select
        source,
        product_id
    from order_lines
    where product_id is not null
    group by source, product_id

),

products as (

    select
        coalesce(delivered_products.source, sold_products.source) as source,
        coalesce(delivered_products.product_id, sold_products.product_id) as product_id,
        delivered_products.product_name,
        delivered_products.category,
        delivered_products.product_kind,
        delivered_products.price_tier,
        delivered_products.unit_cost
    from delivered_products
    full outer join sold_products
        on delivered_products.product_id = sold_products.product_id

)

select * from products
