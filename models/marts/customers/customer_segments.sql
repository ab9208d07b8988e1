-- Grain: one row per customer at the newest as-of; the wide table that BI starts from.
with

settings as (
    select * from {{ ref('int_settings__by_as_of') }}
),

segments as (
    select * from {{ ref('int_customers__segments') }}
    where is_newest
),

reasons as (
    select * from {{ ref('int_customers__segment_reasons') }}
),

next_steps as (
    select * from {{ ref('int_customers__next_steps') }}
),

tier_drops as (
    select * from {{ ref('int_customers__tier_drops') }}
),

current_segments as (

    select
        segments.as_of_date,
        segments.customer_id,
        segments.source,
        cast(segments.recency_days as bigint) as recency_days,
        cast(segments.frequency as bigint) as frequency,
        segments.monetary,
        segments.r_score,
        segments.f_score,
        segments.m_score,
        segments.rfm_code,
        segments.rfm_segment,
        segments.headline_segment,
        segments.model_segment,
        segments.final_segment,
        cast(segments.orders_to_date as bigint) as orders_to_date,
        cast(segments.orders_12m as bigint) as orders_12m,
        segments.net_revenue_12m,
        segments.margin_12m,
        segments.margin_rate_12m,
        segments.average_order_value_12m,
        segments.spend_band,
        segments.frequency_band,
        segments.margin_band,
        segments.value_tier,
        segments.has_conflicting_bands,
        segments.abc_class,
        segments.order_value_group,
        segments.activity_status,
        segments.interactions_3m,
        segments.interaction_band,
        segments.cycle_band,
        segments.repeat_rate,
        segments.loyalty_band,
        segments.loyalty_score,
        segments.csat_average_12m,
        segments.nps_answer,
        segments.relationship_tier,
        segments.to_activate,
        segments.lifecycle_stage,
        segments.clv_predicted,
        segments.p_alive,
        segments.clv_status,
        segments.potential_band,
        segments.value_potential_quadrant,
        segments.composite_score,
        segments.service_tier,
        reasons.segment_reason,
        next_steps.next_step_up,
        next_steps.next_step_kind,
        next_steps.next_step_tier,
        next_steps.next_step_orders,
        next_steps.next_step_amount,
        tier_drops.drops_on,
        tier_drops.drops_to_tier,
        segments.cluster_name,
        settings.rule_version
    from segments
    inner join settings
        on segments.as_of_date = settings.as_of_date
    inner join reasons
        on segments.customer_id = reasons.customer_id
    left join next_steps
        on segments.customer_id = next_steps.customer_id
    left join tier_drops
        on segments.customer_id = tier_drops.customer_id

)

select * from current_segments
