-- Grain: one row per customer at the newest as-of.
with

segments as (
    select * from {{ ref('int_customers__segments') }}
    where is_newest
),

current_value as (

    select
        as_of_date,
        customer_id,
        net_revenue_12m,
        cast(orders_12m as bigint) as orders_12m,
        margin_12m,
        margin_rate_12m,
        spend_band,
        frequency_band,
        margin_band,
        cast(value_points as int) as value_points,
        value_tier,
        has_conflicting_bands,
        abc_class,
        average_order_value_12m,
        order_value_group,
        cast(category_count_12m as bigint) as category_count_12m,
        potential_band,
        value_potential_quadrant,
        composite_spend,
        composite_frequency,
        composite_loyalty,
        composite_potential,
        composite_score,
        composite_is_incomplete
    from segments

)

select * from current_value
