-- Grain: one row per as-of date and customer, what it brought so far and what the CLV formula expects
-- of a whole life: average order value x orders per year x expected years.
with

measures as (
    select * from {{ ref('int_customers__measures') }}
),

settings as (
    select * from {{ ref('int_settings__by_as_of') }}
),

usable_churn as (
    select * from {{ ref('int_cohorts__churn') }}
    where is_usable
),

lives as (

    select
        measures.*,
        settings.days_12m,
        greatest(
            settings.days_12m,
            {{ dbt.datediff(
                'measures.first_order_date', 'measures.as_of_date', 'day'
            ) }}
        ) as observed_days,
        coalesce(cohorts.churn_cohort, population.churn_cohort) as churn_cohort,
        coalesce(cohorts.yearly_churn, population.yearly_churn) as yearly_churn,
        coalesce(cohorts.years_dividend, population.years_dividend) as years_dividend,
        coalesce(cohorts.years_divisor, population.years_divisor) as years_divisor
    from measures
    inner join settings
        on measures.as_of_date = settings.as_of_date
    left join usable_churn as cohorts
        on
            measures.as_of_date = cohorts.as_of_date
            and cast(
                extract(year from measures.first_order_date) as {{ dbt.type_string() }}
            ) = cohorts.churn_cohort
    left join usable_churn as population
        on
            measures.as_of_date = population.as_of_date
            and measures.orders_to_date > 0
            and population.churn_cohort = 'population'

),

-- The number of orders is in the average and in the rate, and cancels. What is left is revenue x 365
-- x dividend / (days x divisor), here of its amount in tenths of a cent, towards zero: the cent that
-- it is rounded to is that of the exact quotient.
valued as (

    select
        *,
        {{ integer_quotient(
            'cast(cast(abs(net_revenue_to_date) as decimal(21, 2)) * 1000 as decimal(21, 0))'
            ' * cast(days_12m as decimal(4, 0)) * cast(years_dividend as decimal(10, 0))',
            'observed_days * years_divisor'
        ) }} as formula_thousandths
    from lives

),

formulas as (

    select
        as_of_date,
        is_newest,
        source,
        customer_id,
        net_revenue_to_date as clv_historic_revenue,
        margin_to_date as clv_historic_margin,
        cast(
            cast(
                round(
                    cast(net_revenue_to_date * 100 as double)
                    / nullif(cast(orders_to_date as double), 0)
                ) as bigint
            ) * cast(0.01 as decimal(3, 2))
            as decimal(18, 2)
        ) as average_order_value,
        case
            when orders_to_date > 0
                then
                    cast(orders_to_date * days_12m as double)
                    / cast(observed_days as double)
        end as orders_per_year,
        cast(years_dividend as double) / cast(years_divisor as double)
            as expected_years,
        yearly_churn,
        churn_cohort,
        case
            when orders_to_date > 0
                then
                    {{ round_money(
                        'case when net_revenue_to_date < 0 then -1 else 1 end'
                        ' * formula_thousandths * cast(0.001 as decimal(4, 3))'
                    ) }}
        end as clv_formula
    from valued

)

select * from formulas
