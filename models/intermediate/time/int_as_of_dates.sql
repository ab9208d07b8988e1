-- Grain: one row per as-of date that the customer models are computed for.
-- A model and not a variable: only the data know their newest day. The month-end before the newest is
-- always there, so that "change since" is computed on today's data.
with

newest_as_of as (
    select * from {{ ref('int_newest_as_of') }}
),

month_ends as (
    select * from {{ ref('int_month_ends') }}
),

-- Whether a move since a kept month-end is one of the customer or of the data, only that month-end on
-- today's data can say.
openings as (

    select opened.as_of_date
    from month_ends as opened
    inner join month_ends as closed
        on opened.as_of_date = cast(
            {{ dbt.dateadd('day', -1, dbt.date_trunc('month', 'closed.as_of_date')) }}
            as date
        )
    where not closed.is_kept

),

days as (

    select newest_as_of_date as as_of_date from newest_as_of
    union
    select previous_as_of_date as as_of_date from newest_as_of
    union
    select as_of_date from month_ends
    where not is_kept
    union
    select as_of_date from openings

),

as_of_dates as (

    select
        days.as_of_date,
        cast(row_number() over (order by days.as_of_date asc nulls first) as int)
            as as_of_number,
        cast(
            {{ dbt.dateadd('day', -1, dbt.date_trunc('month', 'days.as_of_date')) }}
            as date
        ) as previous_as_of_date,
        days.as_of_date = last_day(days.as_of_date) as is_month_end,
        days.as_of_date = newest_as_of.newest_as_of_date as is_newest
    from days
    cross join newest_as_of

)

select * from as_of_dates
