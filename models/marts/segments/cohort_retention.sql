-- Grain: one row per cohort (month of the first counted order) and months since then.
with

cohort_months as (
    select * from {{ ref('int_cohorts__months') }}
),

cohort_retention as (

    select
        cast(cohort_month as {{ dbt.type_string() }})
        || ':'
        || cast(months_since as {{ dbt.type_string() }}) as cohort_retention_id,
        as_of_date,
        cohort_month,
        cast(months_since as int) as months_since,
        cast(customers as bigint) as customers,
        cast(active_customers as bigint) as active_customers,
        cast(active_customers as double)
        / nullif(cast(customers as double), 0) as retention_rate,
        net_revenue,
        is_complete
    from cohort_months

)

select * from cohort_retention
