-- Grain: one row per month-end to be judged, origin and horizon of a backtest.
-- Models are judged at month-ends only: a choice that changed from day to day would be no choice. An
-- origin is a month-end too, so that a backfill needs few dates beside its own.
with

as_of_dates as (
    select * from {{ ref('int_as_of_dates') }}
),

newest_as_of as (
    select * from {{ ref('int_newest_as_of') }}
),

backtests as (
    select * from {{ ref('clv_backtests') }}
),

settings as (
    select * from {{ ref('settings') }}
),

-- An as-of between month-ends goes by the judgement of the last one.
judged_dates as (

    select
        case
            when is_month_end then as_of_date
            else previous_as_of_date
        end as judged_on
    from as_of_dates
    group by case when is_month_end then as_of_date else previous_as_of_date end

),

judged_settings as (

    select
        judged_dates.judged_on,
        cast(max(settings.value) filter (where settings.setting = 'days_12m') as int)
            as days_12m,
        cast(
            max(settings.value) filter (where settings.setting = 'clv_backtest_sample')
            as bigint
        ) as sample_size,
        cast(
            max(settings.value) filter (where settings.setting = 'clv_model_tolerance')
            as double
        ) as model_tolerance,
        cast(
            max(settings.value) filter (where settings.setting = 'clv_interval_share')
            as double
        ) as interval_share,
        cast(
            max(settings.value) filter (where settings.setting = 'clv_rival_share')
            as double
        ) as rival_share
    from judged_dates
    inner join settings
        on {{ holds_on('settings', 'judged_dates.judged_on') }}
    group by judged_dates.judged_on

),

dated_backtests as (

    select
        judged_settings.judged_on,
        judged_settings.days_12m,
        judged_settings.sample_size,
        judged_settings.model_tolerance,
        judged_settings.interval_share,
        judged_settings.rival_share,
        backtests.horizon_days,
        cast(
            {{ dbt.dateadd(
                'day',
                -1,
                dbt.dateadd(
                    'month',
                    '1 - backtests.months_back',
                    dbt.date_trunc('month', 'judged_settings.judged_on')
                )
            ) }} as date
        ) as origin_date
    from judged_settings
    inner join backtests
        on {{ holds_on('backtests', 'judged_settings.judged_on') }}

),

with_windows as (

    select
        dated_backtests.judged_on,
        dated_backtests.origin_date,
        dated_backtests.horizon_days,
        dated_backtests.sample_size,
        dated_backtests.model_tolerance,
        dated_backtests.interval_share,
        dated_backtests.rival_share,
        cast(
            {{ dbt.dateadd('day', 'horizon_days', 'origin_date') }} as date
        ) as horizon_date,
        cast({{ dbt.dateadd('day', '-days_12m', 'origin_date') }} as date)
            as last_year_after,
        cast(
            {{ dbt.dateadd('day', 'horizon_days - days_12m', 'origin_date') }} as date
        ) as last_year_until
    from dated_backtests
    cross join newest_as_of
    where dated_backtests.origin_date >= newest_as_of.first_fact_date

)

select * from with_windows
