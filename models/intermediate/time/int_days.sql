-- Grain: one row per day, from the first of January of the year in which anything is known of, to the
-- newest as-of.
with

newest_as_of as (
    select * from {{ ref('int_newest_as_of') }}
),

digits as (

    {% for digit in range(10) %}
    select {{ digit }} as digit
    {% if not loop.last %}
    union all
    {% endif %}
    {% endfor %}

),

day_numbers as (

    select
        ones.digit
        + 10 * tens.digit
        + 100 * hundreds.digit
        + 1000 * thousands.digit
        + 10000 * ten_thousands.digit as day_number
    from digits as ones
    cross join digits as tens
    cross join digits as hundreds
    cross join digits as thousands
    cross join digits as ten_thousands

),

bounds as (

    select
        cast({{ dbt.date_trunc('year', 'known_from') }} as date) as first_day,
        newest_as_of_date as last_day
    from newest_as_of

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

with_month_ends as (

    select
        date_day,
        date_day = last_day(date_day) as is_month_end
    from days

)

select * from with_month_ends
