-- Grain: one row per cohort and month, from the cohort's own to the newest as-of's.
-- A cohort are the customers whose first counted order is of one month, as the newest
-- as-of counts. An order that was voided counts no more but its revenue stays where it
-- was: months before the cohort's own have a row where revenue is left in them.
with

measures as (
    select * from {{ ref('int_customers__measures') }}
    where is_newest and orders_to_date > 0
),

orders as (
    select * from {{ ref('int_orders__valued') }}
    where customer_id is not null and is_countable
),

ledger as (
    select * from {{ ref('int_sales_ledger') }}
    where customer_id is not null
),

months as (
    select * from {{ ref('int_months') }}
),

members as (

    select
        as_of_date,
        customer_id,
        cast({{ dbt.date_trunc('month', 'first_order_date') }} as date) as cohort_month
    from measures

),

cohorts as (

    select
        members.as_of_date,
        members.cohort_month,
        months.month_number,
        count(*) as customers
    from members
    inner join months
        on members.cohort_month = months.first_day
    group by members.as_of_date, members.cohort_month, months.month_number

),

active_customers as (

    select
        members.cohort_month,
        cast({{ dbt.date_trunc('month', 'orders.order_date') }} as date) as first_day,
        count(distinct orders.customer_id) as active_customers
    from orders
    inner join members
        on
            orders.customer_id = members.customer_id
            and orders.order_date <= members.as_of_date
            and (orders.voided_on is null or orders.voided_on > members.as_of_date)
    group by
        members.cohort_month,
        cast({{ dbt.date_trunc('month', 'orders.order_date') }} as date)

),

revenue as (

    select
        members.cohort_month,
        cast({{ dbt.date_trunc('month', 'ledger.ledger_date') }} as date) as first_day,
        sum(ledger.net_amount) as net_revenue
    from ledger
    inner join members
        on
            ledger.customer_id = members.customer_id
            and ledger.ledger_date <= members.as_of_date
    group by
        members.cohort_month,
        cast({{ dbt.date_trunc('month', 'ledger.ledger_date') }} as date)

),

cohort_months as (

    select
        cohorts.as_of_date,
        cohorts.cohort_month,
        months.month_number - cohorts.month_number as months_since,
        cohorts.customers,
        coalesce(active_customers.active_customers, 0) as active_customers,
        cast(coalesce(revenue.net_revenue, 0) as decimal(18, 2)) as net_revenue,
        months.is_complete
    from cohorts
    cross join months
    left join active_customers
        on
            cohorts.cohort_month = active_customers.cohort_month
            and months.first_day = active_customers.first_day
    left join revenue
        on
            cohorts.cohort_month = revenue.cohort_month
            and months.first_day = revenue.first_day
    where months.month_number >= cohorts.month_number or revenue.net_revenue <> 0

)

select * from cohort_months
