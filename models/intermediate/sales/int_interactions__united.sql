-- Grain: one row per accepted interaction of any source.
with

interactions as (
    {{ union_sources('interactions', [
        'interaction_id', 'customer_id', 'occurred_at', 'interaction_date', 'interaction_type',
        'channel', 'topic', 'campaign_id', 'order_id', 'score', 'first_response_at',
        'resolved_at', 'referred_customer_id', 'rejection_reason'
    ]) }}
),

increment as (
    select * from {{ ref('stg_control__increment') }}
),

accepted_interactions as (

    select
        interactions.source,
        interactions.interaction_id,
        interactions.customer_id,
        interactions.occurred_at,
        interactions.interaction_date,
        interactions.interaction_type,
        interactions.channel,
        interactions.topic,
        interactions.campaign_id,
        interactions.order_id,
        interactions.score,
        interactions.first_response_at,
        interactions.resolved_at,
        interactions.referred_customer_id
    from interactions
    cross join increment
    where
        interactions.rejection_reason is null
        -- As an inequality the planner takes it for a choice among all days.
        and least(interactions.interaction_date, increment.last_day)
        = interactions.interaction_date
        and {{ is_touched(
            'interactions.interaction_id', ref('int_interactions__touched')
        ) }}

)

select * from accepted_interactions
