-- Grain: one row per product of the shop, its winning revision.
with

revisions as (
    select * from {{ source('shop', 'products') }}
),

winning_revisions as (

    select *
    from revisions
    qualify {{ revision_rank(['product_id']) }} = 1

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
