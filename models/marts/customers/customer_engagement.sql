-- Grain: one row per customer at the newest as-of.
with

engagement as (
    select * from {{ ref('int_customers__engagement') }}
    where is_newest
),

relationships as (
    select * from {{ ref('int_customers__relationships') }}
),

current_engagement as (

    select
        engagement.as_of_date,
        engagement.customer_id,
        cast(engagement.recency_days as bigint) as days_since_last_order,
        engagement.activity_status,
        engagement.interactions_3m,
        engagement.interaction_band,
        engagement.median_gap_days,
        engagement.gap_variation,
        engagement.cycle_band,
        cast(engagement.cycles as bigint) as cycle_count,
        engagement.repeat_rate,
        engagement.repeat_order_rate,
        engagement.loyalty_band,
        engagement.referral_part,
        engagement.stability_part,
        engagement.loyalty_score,
        engagement.csat_average_12m,
        engagement.nps_answer,
        engagement.last_survey_at,
        engagement.open_ticket_count,
        relationships.relationship_tier,
        relationships.to_activate
    from engagement
    inner join relationships
        on
            engagement.as_of_date = relationships.as_of_date
            and engagement.customer_id = relationships.customer_id

)

select * from current_engagement
