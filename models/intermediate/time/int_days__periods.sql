-- Grain: one row per day, the period that it lies in.
-- Days between two boundaries of any window of any as-of are alike to every window, so facts are
-- summed by period once, however many as-ofs are computed.
with

days as (
    select * from {{ ref('int_days') }}
),

windows as (
    select * from {{ ref('int_windows') }}
),

boundaries as (

    select as_of_date as boundary from windows
    union
    select opens_after as boundary from windows

),

as_of_dates as (
    select * from {{ ref('int_as_of_dates') }}
),

period_numbers as (

    select
        days.date_day,
        cast(count(*) as int) as period_number
    from days
    inner join boundaries
        on days.date_day > boundaries.boundary
    group by days.date_day

),

first_as_ofs as (

    select
        days.date_day,
        min(as_of_dates.as_of_number) as first_as_of_number
    from days
    inner join as_of_dates
        on days.date_day <= as_of_dates.as_of_date
    group by days.date_day

),

periods as (

    select
        period_numbers.date_day,
        period_numbers.period_number,
        first_as_ofs.first_as_of_number
    from period_numbers
    inner join first_as_ofs
        on period_numbers.date_day = first_as_ofs.date_day

)

select * from periods
