-- All customers of a cohort are active in its first month, never more than all later and
-- none before; each month from the first to the newest has its row.
with

cohort_retention as (
    select * from {{ ref('cohort_retention') }}
),

cohorts as (

    select
        cohort_month,
        count(*) filter (where months_since >= 0) as months,
        max(months_since) as last_month,
        min(customers) as fewest_customers,
        max(customers) as most_customers
    from cohort_retention
    group by cohort_month

)

select cohort_retention.cohort_retention_id
from cohort_retention
inner join cohorts
    on cohort_retention.cohort_month = cohorts.cohort_month
where
    cohorts.months <> cohorts.last_month + 1
    or cohorts.fewest_customers <> cohorts.most_customers
    or cohort_retention.active_customers > cohort_retention.customers
    or (
        cohort_retention.months_since = 0
        and cohort_retention.active_customers <> cohort_retention.customers
    )
    or (cohort_retention.months_since < 0 and cohort_retention.active_customers <> 0)
