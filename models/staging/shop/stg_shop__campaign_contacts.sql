-- Grain: one row per customer assigned to an arm of a campaign, the newest delivered one.
with

revisions as (
    select * from {{ source('shop', 'campaign_contacts') }}
),

fact_settings as (
    select * from {{ ref('stg_rules__fact_settings') }}
),

winning_revisions as (

    select *
    from revisions
    qualify row_number() over (
        partition by campaign_id, customer_id
        order by _delivery_id desc nulls last, _row_number desc nulls last
    ) = 1

),

dated as (

    select
        winning_revisions.*,
        {{ business_date('winning_revisions.contacted_at') }} as contact_date,
        {{ day_rejection(
            'winning_revisions.contacted_at', 'winning_revisions._delivered_at'
        ) }} as day_reason
    from winning_revisions
    cross join fact_settings

),

judged as (

    select
        'shop:' || campaign_id as campaign_id,
        'shop:' || customer_id as customer_id,
        lower(arm) as arm,
        contacted_at,
        contact_date,
        case
            when lower(arm) not in ('treatment', 'control') then 'unknown_arm'
            when day_reason is not null then day_reason
        end as rejection_reason,
        'shop:' || campaign_id || ':' || customer_id as record_id,
        _delivery_id as delivery_id,
        _row_number as row_number
    from dated

)

select * from judged
