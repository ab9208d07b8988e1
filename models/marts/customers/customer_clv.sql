-- Grain: one row per customer at the newest as-of.
with

clv as (
    select * from {{ ref('int_customers__clv') }}
    where is_newest
),

current_clv as (

    select
        as_of_date,
        customer_id,
        clv_historic_revenue,
        clv_historic_margin,
        clv_formula,
        expected_years,
        churn_cohort,
        clv_basis,
        clv_predicted,
        clv_lower,
        clv_upper,
        expected_orders,
        expected_order_value,
        p_alive,
        expected_next_order_date,
        clv_status,
        clv_reason
    from clv

)

select * from current_clv
