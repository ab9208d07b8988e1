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
        value_tier,
        net_revenue_12m
    from kept_history

)

select * from renamed
