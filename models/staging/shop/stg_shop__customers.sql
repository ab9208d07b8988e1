-- Grain: one row per customer in the shop's master data, its winning revision.
-- Name, e-mail, phone and birth date stay behind in raw: no mart may hold them.
with

revisions as (
    select * from {{ source('shop', 'customers') }}
),

fact_settings as (
    select * from {{ ref('stg_rules__fact_settings') }}
),

winning_revisions as (

    select *
    from revisions
    qualify {{ revision_rank(['customer_id']) }} = 1

),

renamed as (

    select
        'shop:' || winning_revisions.customer_id as customer_id,
        lower(winning_revisions.customer_type) as customer_type,
        winning_revisions.country,
        winning_revisions.region,
        winning_revisions.city,
        winning_revisions.industry,
        winning_revisions.preferred_contact_channel,
        winning_revisions.acquisition_channel,
        winning_revisions.registered_at,
        winning_revisions.verified_at,
        {{ business_date('winning_revisions.registered_at') }} as registered_date,
        {{ business_date('winning_revisions.verified_at') }} as verified_date
    from winning_revisions
    cross join fact_settings

)

select * from renamed
