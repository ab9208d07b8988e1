-- Grain: one row per accepted interaction.
with

interactions as (
    select * from {{ ref('int_interactions__united') }}
    where {{ is_touched('interaction_id', ref('int_interactions__touched')) }}
),

published_interactions as (

    select
        interaction_id,
        source,
        customer_id,
        occurred_at,
        interaction_date,
        interaction_type,
        channel,
        topic,
        campaign_id,
        order_id,
        cast(score as decimal(18, 6)) as score,
        first_response_at,
        resolved_at,
        referred_customer_id
    from interactions

)

select * from published_interactions
