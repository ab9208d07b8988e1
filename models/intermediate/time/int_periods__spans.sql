-- Grain: one row per period, window and as-of at which the period comes into the window.
-- It stays for the as-ofs from `from_number` to before `until_number`. With a fixed length a period
-- comes and goes once; where a dated setting lengthens a window it may come back.
with

periods as (

    select
        period_number,
        min(date_day) as first_day
    from {{ ref('int_days__periods') }}
    group by period_number

),

windows as (

    select
        windows.window_name,
        windows.as_of_date,
        windows.opens_after,
        as_of_dates.as_of_number
    from {{ ref('int_windows') }} as windows
    inner join {{ ref('int_as_of_dates') }} as as_of_dates
        on windows.as_of_date = as_of_dates.as_of_date

),

memberships as (

    select
        periods.period_number,
        windows.window_name,
        windows.as_of_number,
        case
            when
                periods.first_day <= windows.as_of_date
                and periods.first_day > windows.opens_after
                then 1
            else 0
        end as is_member
    from periods
    cross join windows

),

changes as (

    select
        *,
        is_member - lag(is_member, 1, 0) over (
            partition by period_number, window_name
            order by as_of_number asc nulls first
        ) as change
    from memberships

),

spans as (

    select
        period_number,
        window_name,
        change,
        as_of_number as from_number,
        lead(as_of_number) over (
            partition by period_number, window_name
            order by as_of_number asc nulls first
        ) as until_number
    from changes
    where change <> 0

),

entering as (

    select
        period_number,
        window_name,
        from_number,
        until_number
    from spans
    where change = 1

)

select * from entering
