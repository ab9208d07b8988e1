-- Grain: one row per month-end of the history whose 91 days after are over at the newest as-of.
with

month_ends as (
    select * from {{ ref('int_month_ends') }}
),

newest_as_of as (
    select * from {{ ref('int_newest_as_of') }}
),

-- The seed itself: a kept month-end is no as-of of this build.
settings as (
    select * from {{ ref('settings') }}
    where setting = 'days_3m'
),

windows as (

    select
        month_ends.as_of_date,
        cast(
            {{ dbt.dateadd(
                'day', 'cast(settings.value as int)', 'month_ends.as_of_date'
            ) }} as date
        ) as closes_on
    from month_ends
    inner join settings
        on {{ holds_on('settings', 'month_ends.as_of_date') }}

),

closed_month_ends as (

    select
        windows.as_of_date,
        windows.closes_on
    from windows
    inner join newest_as_of
        on windows.closes_on <= newest_as_of.newest_as_of_date

)

select * from closed_month_ends
