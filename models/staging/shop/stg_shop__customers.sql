-- Grain: one row per customer in the shop's master data, its winning revision.
-- Name, e-mail and phone stay behind in raw. The birth date goes on as far as the age band, and no
-- mart may hold it.
with

winning_revisions as (
    {{ winning_revisions(source('shop', 'customers'), 'customer_id') }}
),

fact_settings as (
    select * from {{ ref('stg_rules__fact_settings') }}
),

dated as (

    select
        winning_revisions.*,
        {{ business_date('winning_revisions.registered_at') }} as registered_day,
        {{ business_date('winning_revisions.verified_at') }} as verified_day,
        {{ day_rejection(
            'winning_revisions.registered_at', 'winning_revisions._delivered_at'
        ) }} as registered_day_reason,
        {{ day_rejection(
            'winning_revisions.verified_at', 'winning_revisions._delivered_at'
        ) }} as verified_day_reason
    from winning_revisions
    cross join fact_settings

),

renamed as (

    -- A day that cannot be right is unknown; the customer exists all the same.
    select
        'shop:' || customer_id as customer_id,
        lower(customer_type) as customer_type,
        country,
        region,
        city,
        industry,
        annual_revenue,
        birth_date,
        preferred_contact_channel,
        acquisition_channel,
        case when registered_day_reason is null then registered_at end as registered_at,
        case when verified_day_reason is null then verified_at end as verified_at,
        case when registered_day_reason is null then registered_day end
            as registered_date,
        case when verified_day_reason is null then verified_day end as verified_date,
        coalesce(registered_day_reason, verified_day_reason) as day_reason
    from dated

)

select * from renamed
