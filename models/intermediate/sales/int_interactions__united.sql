-- Grain: one row per accepted interaction of any source.
with

interactions as (
    {{ union_sources('interactions', [
        'interaction_id', 'customer_id', 'occurred_at', 'interaction_date', 'interaction_type',
        'channel', 'topic', 'campaign_id', 'order_id', 'score', 'first_response_at',
        'resolved_at', 'referred_customer_id', 'rejection_reason'
    ]) }}
),

accepted_interactions as (

    select
        source,
        interaction_id,
        customer_id,
        occurred_at,
        interaction_date,
        interaction_type,
        channel,
        topic,
        campaign_id,
        order_id,
        score,
        first_response_at,
        resolved_at,
        referred_customer_id
    from interactions
    where rejection_reason is null

)

select * from accepted_interactions
