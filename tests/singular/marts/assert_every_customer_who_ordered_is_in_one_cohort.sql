-- A cohort has as many customers as have their first order in its month, and every
-- customer who ever ordered is in one.
with

cohorts as (

    select
        cohort_month,
        customers
    from {{ ref('cohort_retention') }}
    where months_since = 0

),

first_orders as (

    select
        cast({{ dbt.date_trunc('month', 'first_order_date') }} as date) as first_month,
        count(*) as customers
    from {{ ref('customers') }}
    where orders_to_date > 0
    group by cast({{ dbt.date_trunc('month', 'first_order_date') }} as date)

)

select coalesce(cohorts.cohort_month, first_orders.first_month) as cohort_month
from cohorts
full outer join first_orders
    on cohorts.cohort_month = first_orders.first_month
where coalesce(cohorts.customers, 0) <> coalesce(first_orders.customers, 0)
