-- Grain: one row per customer and month-end on which it existed.
-- A published month-end is kept as it was reported until it is restated: see restatements.
-- depends_on: {{ ref('int_customers__restated') }}
with

segments as (
    select * from {{ ref('int_customers__segments') }}
),

month_ends as (
    select * from {{ ref('int_month_ends__touched') }}
),

settings as (
    select * from {{ ref('int_settings__by_as_of') }}
),

newest_as_of as (
    select * from {{ ref('int_newest_as_of') }}
),

history as (

    select
        segments.as_of_date,
        segments.customer_id,
        segments.headline_segment,
        segments.model_segment,
        segments.final_segment,
        segments.rfm_segment,
        segments.rfm_code,
        segments.value_tier,
        segments.spend_band,
        segments.frequency_band,
        segments.margin_band,
        segments.abc_class,
        segments.order_value_group,
        segments.activity_status,
        segments.interaction_band,
        segments.cycle_band,
        segments.loyalty_band,
        segments.relationship_tier,
        segments.to_activate,
        segments.lifecycle_stage,
        segments.potential_band,
        segments.value_potential_quadrant,
        segments.service_tier,
        segments.clv_predicted,
        segments.p_alive,
        segments.cluster_name,
        segments.net_revenue_12m,
        settings.rule_version,
        {{ dbt.datediff('newest_as_of.first_fact_date', 'settings.after_12m', 'day') }}
        >= -1 as is_window_complete
    from segments
    inner join month_ends
        on segments.as_of_date = month_ends.touched_id
    inner join settings
        on segments.as_of_date = settings.as_of_date
    cross join newest_as_of

)

select * from history
