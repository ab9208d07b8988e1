-- Grain: one row per calendar month, from the first of the year in which anything is
-- known of, to that of the newest as-of.
with

days as (
    select * from {{ ref('int_days') }}
),

dated_months as (

    select
        cast({{ dbt.date_trunc('month', 'date_day') }} as date) as first_day,
        is_month_end
    from days

),

months as (

    select
        first_day,
        cast(12 * extract(year from first_day) + extract(month from first_day) as int)
            as month_number,
        -- The last of the days is the newest as-of.
        bool_or(is_month_end) as is_complete
    from dated_months
    group by first_day

)

select * from months
