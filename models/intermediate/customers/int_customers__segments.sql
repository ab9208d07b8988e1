-- Grain: one row per as-of date and customer, its codes and key measures together.
with

measures as (
    select * from {{ ref('int_customers__measures') }}
),

rfm as (
    select * from {{ ref('int_customers__rfm') }}
),

value_bands as (
    select * from {{ ref('int_customers__value_bands') }}
),

abc_classes as (
    select * from {{ ref('int_customers__abc_classes') }}
),

order_value_groups as (
    select * from {{ ref('int_customers__order_value_groups') }}
),

engagement as (
    select * from {{ ref('int_customers__engagement') }}
),

relationships as (
    select * from {{ ref('int_customers__relationships') }}
),

lifecycle as (
    select * from {{ ref('int_customers__lifecycle') }}
),

clv as (
    select * from {{ ref('int_customers__clv') }}
),

potential as (
    select * from {{ ref('int_customers__potential') }}
),

composite as (
    select * from {{ ref('int_customers__composite') }}
),

service_tiers as (
    select * from {{ ref('int_customers__service_tiers') }}
),

final_segments as (
    select * from {{ ref('int_customers__final_segments') }}
),

clusters as (
    select * from {{ ref('int_customers__clusters') }}
),

segments as (

    select
        measures.as_of_date,
        measures.is_newest,
        measures.source,
        measures.customer_id,
        measures.recency_days,
        measures.frequency,
        measures.monetary,
        measures.orders_to_date,
        measures.orders_12m,
        measures.net_revenue_12m,
        measures.margin_12m,
        measures.category_count_12m,
        rfm.r_score,
        rfm.f_score,
        rfm.m_score,
        rfm.rfm_code,
        rfm.rfm_segment,
        rfm.headline_segment,
        final_segments.model_segment,
        final_segments.final_segment,
        value_bands.margin_rate_12m,
        value_bands.spend_band,
        value_bands.frequency_band,
        value_bands.margin_band,
        value_bands.value_points,
        value_bands.value_tier,
        value_bands.has_conflicting_bands,
        abc_classes.abc_class,
        order_value_groups.average_order_value_12m,
        order_value_groups.order_value_group,
        engagement.activity_status,
        engagement.interactions_3m,
        engagement.interaction_band,
        engagement.cycle_band,
        engagement.repeat_rate,
        engagement.loyalty_band,
        engagement.loyalty_score,
        engagement.csat_average_12m,
        engagement.nps_answer,
        relationships.relationship_tier,
        relationships.to_activate,
        lifecycle.lifecycle_stage,
        clv.clv_predicted,
        clv.p_alive,
        clv.clv_status,
        potential.potential_band,
        potential.value_potential_quadrant,
        composite.composite_spend,
        composite.composite_frequency,
        composite.composite_loyalty,
        composite.composite_potential,
        composite.composite_score,
        composite.composite_is_incomplete,
        service_tiers.service_tier,
        clusters.cluster_name
    from measures
    inner join rfm
        on
            measures.as_of_date = rfm.as_of_date
            and measures.customer_id = rfm.customer_id
    inner join order_value_groups
        on
            measures.as_of_date = order_value_groups.as_of_date
            and measures.customer_id = order_value_groups.customer_id
    inner join engagement
        on
            measures.as_of_date = engagement.as_of_date
            and measures.customer_id = engagement.customer_id
    inner join relationships
        on
            measures.as_of_date = relationships.as_of_date
            and measures.customer_id = relationships.customer_id
    inner join lifecycle
        on
            measures.as_of_date = lifecycle.as_of_date
            and measures.customer_id = lifecycle.customer_id
    inner join clv
        on
            measures.as_of_date = clv.as_of_date
            and measures.customer_id = clv.customer_id
    inner join service_tiers
        on
            measures.as_of_date = service_tiers.as_of_date
            and measures.customer_id = service_tiers.customer_id
    inner join final_segments
        on
            measures.as_of_date = final_segments.as_of_date
            and measures.customer_id = final_segments.customer_id
    inner join clusters
        on
            measures.as_of_date = clusters.as_of_date
            and measures.customer_id = clusters.customer_id
    left join value_bands
        on
            measures.as_of_date = value_bands.as_of_date
            and measures.customer_id = value_bands.customer_id
    left join abc_classes
        on
            measures.as_of_date = abc_classes.as_of_date
            and measures.customer_id = abc_classes.customer_id
    left join potential
        on
            measures.as_of_date = potential.as_of_date
            and measures.customer_id = potential.customer_id
    left join composite
        on
            measures.as_of_date = composite.as_of_date
            and measures.customer_id = composite.customer_id

)

select * from segments
