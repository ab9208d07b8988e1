-- Grain: one row per day from the first of January of the year in which anything is known of, to the
-- newest as-of.
with

days as (
    select * from {{ ref('int_days') }}
),

calendar as (

    select
        date_day,
        cast(extract(year from date_day) as int) as year_number,
        cast(extract(quarter from date_day) as int) as quarter_number,
        cast(extract(month from date_day) as int) as month_number,
        cast({{ dbt.date_trunc('month', 'date_day') }} as date) as month_start_date,
        last_day(date_day) as month_end_date,
        is_month_end,
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
