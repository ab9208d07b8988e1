-- Grain: one row per customer and month-end of the published history.
with

kept_history as (
    select * from {{ source('control', 'kept_history') }}
),

renamed as (

    select
        as_of_date,
        customer_id,
        headline_segment,
        model_segment,
        final_segment,
        rfm_code,
        value_tier,
        abc_class,
        order_value_group,
        activity_status,
        interaction_band,
        cycle_band,
        loyalty_band,
        relationship_tier,
        lifecycle_stage,
        cluster_name,
        net_revenue_12m
    from kept_history

)

select * from renamed
