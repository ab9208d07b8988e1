-- Grain: one row per product of the shop, its winning revision.
with

winning_revisions as (
    {{ winning_revisions(source('shop', 'products'), 'product_id') }}
),

renamed as (

    select
        'shop:' || product_id as product_id,
        product_name,
        category,
        lower(product_kind) as product_kind,
        lower(price_tier) as price_tier,
        unit_cost
    from winning_revisions

)

select * from renamed
