-- Grain: one row per day from the first of the year of the first fact to the newest as-of.
with

ledger as (
    select * from {{ ref('int_sales_ledger') }}
),

interactions as (
    select * from {{ ref('int_interactions__united') }}
),

as_of_dates as (
    select * from {{ ref('int_as_of_dates') }}
    where is_newest
),

fact_days as (

    select min(ledger_date) as fact_day from ledger
    union all
    select min(interaction_date) as fact_day from interactions

),

known_days as (

    select
        min(fact_days.fact_day) as first_day,
        max(as_of_dates.as_of_date) as last_day
    from as_of_dates
    cross join fact_days

),

bounds as (

    select
        cast(
            {{ dbt.date_trunc('year', 'known_days.first_day') }} as date
        ) as first_day,
        known_days.last_day
    from known_days

),

digits as (

    {% for digit in range(10) %}
    select {{ digit }} as digit
    {% if not loop.last %}
    union all
    {% endif %}
    {% endfor %}

),

-- A hundred thousand days are 273 years: from minimum_date on, always enough.
day_numbers as (

    select
        ones.digit + 10 * tens.digit + 100 * hundreds.digit + 1000 * thousands.digit
        + 10000 * ten_thousands.digit as day_number
    from digits as ones
    cross join digits as tens
    cross join digits as hundreds
    cross join digits as thousands
    cross join digits as ten_thousands

),

days as (

    select
        cast(
            {{ dbt.dateadd('day', 'day_numbers.day_number', 'bounds.first_day') }}
            as date
        ) as date_day
    from bounds
    inner join day_numbers
        on
            {{ dbt.datediff('bounds.first_day', 'bounds.last_day', 'day') }}
            >= day_numbers.day_number

),

calendar as (

    select
        date_day,
        cast(extract(year from date_day) as int) as year_number,
        cast(extract(quarter from date_day) as int) as quarter_number,
        cast(extract(month from date_day) as int) as month_number,
        cast({{ dbt.date_trunc('month', 'date_day') }} as date) as month_start_date,
        last_day(date_day) as month_end_date,
        date_day = last_day(date_day) as is_month_end,
        -- 1990-01-01 was a Monday.
        cast(
            mod(
                mod(
                    {{ dbt.datediff("date '1990-01-01'", 'date_day', 'day') }}, 7
                ) + 7, 7
            ) + 1 as int
        ) as weekday_number
    from days

)

select * from calendar
