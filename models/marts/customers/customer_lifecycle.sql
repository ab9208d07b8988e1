-- Grain: one row per customer at the newest as-of.
with

lifecycle as (
    select * from {{ ref('int_customers__lifecycle') }}
    where is_newest
),

current_lifecycle as (

    select
        as_of_date,
        customer_id,
        lifecycle_stage,
        activated_at,
        cast(tenure_days as bigint) as tenure_days,
        cast(orders_to_date as bigint) as orders_to_date,
        cast(coalesce(order_days, 0) as bigint) as order_day_count,
        median_gap_days,
        gap_variation,
        cast(days_until_churn as double) as days_until_churn,
        case
            when orders_to_date > 0 then cast(days_until_decline as double)
        end as days_until_decline,
        revenue_fall_rate,
        cast(comebacks as bigint) as comeback_count
    from lifecycle

)

select * from current_lifecycle
