-- Grain: one row per interaction of the shop, its winning revision, accepted or not.
with

winning_revisions as (
    {{ winning_revisions(
        source('shop', 'interactions'),
        'interaction_id',
        is_touched('interaction_id', ref('stg_shop__touched_interactions'), 'touched_key')
    ) }}
),

interaction_types as (
    select * from {{ ref('interaction_types') }}
),

fact_settings as (
    select * from {{ ref('stg_rules__fact_settings') }}
),

dated as (

    select
        winning_revisions.*,
        {{ business_date('winning_revisions.occurred_at') }} as interaction_date,
        {{ day_rejection(
            'winning_revisions.occurred_at', 'winning_revisions._delivered_at'
        ) }} as day_reason
    from winning_revisions
    cross join fact_settings

),

judged as (

    select
        'shop:' || dated.interaction_id as interaction_id,
        'shop:' || dated.customer_id as customer_id,
        dated.occurred_at,
        dated.interaction_date,
        lower(dated.interaction_type) as interaction_type,
        lower(dated.channel) as channel,
        dated.topic,
        'shop:' || dated.campaign_id as campaign_id,
        'shop:' || dated.order_id as order_id,
        dated.score,
        dated.first_response_at,
        dated.resolved_at,
        'shop:' || dated.referred_customer_id as referred_customer_id,
        case
            when interaction_types.interaction_type is null
                then 'unknown_interaction_type'
            when dated.day_reason is not null then dated.day_reason
            when interaction_types.lowest_score is null then null
            when dated.score is null then 'score_missing'
            when
                dated.score < interaction_types.lowest_score
                or dated.score > interaction_types.highest_score
                then 'score_out_of_range'
        end as rejection_reason,
        dated._delivery_id as delivery_id,
        dated._row_number as row_number
    from dated
    left join interaction_types
        on lower(dated.interaction_type) = interaction_types.interaction_type

)

select * from judged
