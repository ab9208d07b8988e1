-- Grain: one row per as-of date and churn cohort, a year of first orders or the whole population.
-- Of those with an order in the 365 days before the last 365, who has none in the last 365 churned.
with

customers as (
    select * from {{ ref('int_customers__measures') }}
    where orders_24m > orders_12m
),

settings as (
    select * from {{ ref('int_settings__by_as_of') }}
),

newest_as_of as (
    select * from {{ ref('int_newest_as_of') }}
),

cohorts as (

    select
        as_of_date,
        cast(extract(year from first_order_date) as {{ dbt.type_string() }})
            as churn_cohort,
        count(*) as customers,
        count(*) filter (where orders_12m = 0) as churned_customers
    from customers
    group by
        as_of_date,
        cast(extract(year from first_order_date) as {{ dbt.type_string() }})

),

with_population as (

    select
        as_of_date,
        churn_cohort,
        customers,
        churned_customers
    from cohorts

    union all

    select
        as_of_date,
        'population' as churn_cohort,
        sum(customers) as customers,
        sum(churned_customers) as churned_customers
    from cohorts
    group by as_of_date

),

judged as (

    select
        with_population.as_of_date,
        with_population.churn_cohort,
        with_population.customers,
        with_population.churned_customers,
        settings.maximum_life_years,
        -- The first day of the two years, or one before it, is known.
        with_population.customers >= settings.minimum_cohort_customers
        and {{ dbt.datediff(
            'newest_as_of.first_fact_date', 'settings.after_24m', 'day'
        ) }} >= -1 as is_usable,
        with_population.churned_customers * settings.maximum_life_years
        <= with_population.customers as lives_longest
    from with_population
    inner join settings
        on with_population.as_of_date = settings.as_of_date
    cross join newest_as_of

),

-- Expected years are kept as a ratio of whole numbers, so that money is divided exactly.
churn as (

    select
        as_of_date,
        churn_cohort,
        cast(customers as bigint) as customers,
        cast(churned_customers as bigint) as churned_customers,
        is_usable,
        cast(churned_customers as double) / cast(customers as double) as yearly_churn,
        cast(
            case when lives_longest then maximum_life_years else customers end as bigint
        ) as years_dividend,
        cast(
            case when lives_longest then 1 else churned_customers end as bigint
        ) as years_divisor
    from judged

)

select * from churn
