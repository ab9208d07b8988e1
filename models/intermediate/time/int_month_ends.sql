-- Grain: one row per month-end that the history holds after this build.
-- What is published is kept, not computed again, until somebody asks: a number that was reported
-- changes only by a restatement that says so. A fact that comes late marks the month-ends from its
-- day on; a run with `--backfill` computes them anew.
with

days as (
    select * from {{ ref('int_days') }}
    where is_month_end
),

newest_as_of as (
    select * from {{ ref('int_newest_as_of') }}
),

increment as (
    select * from {{ ref('stg_control__increment') }}
),

kept_month_ends as (
    select * from {{ ref('stg_control__kept_month_ends') }}
),

settings as (
    select * from {{ ref('settings') }}
    where setting = 'history_months'
),

touched_dates as (

    select earliest_date from {{ ref('int_orders__touched') }}
    union all
    select earliest_date from {{ ref('int_interactions__touched') }}
    union all
    select earliest_date from {{ ref('int_customers__touched') }}

),

changed_from as (

    select min(earliest_date) as earliest_date from touched_dates

),

history_bounds as (

    select
        newest_as_of.newest_as_of_date,
        newest_as_of.known_from,
        cast(
            {{ dbt.dateadd(
                'month',
                '-cast(settings.value as int)',
                dbt.date_trunc('month', 'newest_as_of.newest_as_of_date')
            ) }} as date
        ) as first_day
    from newest_as_of
    inner join settings
        on {{ holds_on('settings', 'newest_as_of.newest_as_of_date') }}

),

month_ends as (

    select
        days.date_day as as_of_date,
        kept_month_ends.as_of_date is not null as was_kept,
        kept_month_ends.as_of_date is not null
        and not increment.is_full_rebuild
        and (
            increment.restate_from is null or days.date_day < increment.restate_from
        ) as is_kept,
        coalesce(kept_month_ends.is_marked, false)
        or (
            kept_month_ends.as_of_date is not null
            and coalesce(changed_from.earliest_date <= days.date_day, false)
        ) as is_late
    from days
    inner join history_bounds
        on
            days.date_day < history_bounds.newest_as_of_date
            and days.date_day >= history_bounds.known_from
    cross join increment
    cross join changed_from
    left join kept_month_ends
        on days.date_day = kept_month_ends.as_of_date
    where
        days.date_day >= history_bounds.first_day
        or days.date_day >= increment.history_from

)

select * from month_ends
