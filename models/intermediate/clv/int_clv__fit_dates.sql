-- Grain: one row per date that models are fitted on, the facts up to it.
-- As-ofs, the month-end before each (its parameters stand in where a fit fails) and the origins of
-- backtests.
with

as_of_dates as (
    select * from {{ ref('int_as_of_dates') }}
),

backtests as (
    select * from {{ ref('int_clv__backtests') }}
),

settings as (
    select * from {{ ref('settings') }}
),

dates as (

    select as_of_date as fit_date from as_of_dates
    union
    select previous_as_of_date as fit_date from as_of_dates
    union
    select origin_date as fit_date from backtests

),

fit_dates as (

    select
        dates.fit_date,
        as_of_dates.as_of_date is not null as is_as_of,
        cast(row_number() over (order by dates.fit_date asc nulls first) as int)
            as fit_number
    from dates
    left join as_of_dates
        on dates.fit_date = as_of_dates.as_of_date

),

with_settings as (

    select
        fit_dates.fit_date,
        fit_dates.is_as_of,
        fit_dates.fit_number,
        cast(
            max(settings.value) filter (
                where settings.setting = 'margin_coverage_minimum'
            )
            as decimal(18, 6)
        ) as margin_coverage_minimum,
        cast(
            max(settings.value) filter (
                where settings.setting = 'clv_minimum_repeat_buyers'
            )
            as bigint
        ) as clv_minimum_repeat_buyers,
        cast(
            max(settings.value) filter (where settings.setting = 'clv_winsorised_share')
            as double
        ) as clv_winsorised_share,
        cast(
            max(settings.value) filter (where settings.setting = 'clv_largest_groups')
            as bigint
        ) as clv_largest_groups
    from fit_dates
    inner join settings
        on {{ holds_on('settings', 'fit_dates.fit_date') }}
    group by fit_dates.fit_date, fit_dates.is_as_of, fit_dates.fit_number

)

select * from with_settings
