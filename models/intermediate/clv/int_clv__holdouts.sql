-- Grain: one row per backtest and customer of its sample, what was known at the origin and what came.
with

backtests as (
    select * from {{ ref('int_clv__backtests') }}
),

histories as (
    select * from {{ ref('int_clv__histories') }}
),

order_days as (
    select * from {{ ref('int_clv__holdout_days') }}
),

drawn as (

    select
        backtests.judged_on,
        backtests.horizon_days,
        histories.*,
        backtests.sample_size,
        row_number() over (
            partition by
                backtests.judged_on,
                backtests.origin_date,
                backtests.horizon_days,
                histories.source
            order by
                md5(histories.customer_id) asc nulls first,
                histories.customer_id asc nulls first
        ) as draw
    from backtests
    inner join histories
        on backtests.origin_date = histories.fit_date

),

holdouts as (

    select
        drawn.judged_on,
        drawn.fit_date as origin_date,
        drawn.horizon_days,
        drawn.source,
        drawn.customer_id,
        drawn.frequency,
        drawn.recency_days,
        drawn.age_days,
        drawn.mean_spend,
        coalesce(came.order_days, 0) as order_days,
        cast(
            coalesce(
                case
                    when drawn.clv_basis = 'margin' then came.margin
                    else came.revenue
                end, 0
            ) as double
        ) as spend,
        coalesce(last_year.order_days, 0) as last_year_order_days
    from drawn
    left join order_days as came
        on
            drawn.judged_on = came.judged_on
            and drawn.fit_date = came.origin_date
            and drawn.horizon_days = came.horizon_days
            and drawn.customer_id = came.customer_id
            and came.window_name = 'holdout'
    left join order_days as last_year
        on
            drawn.judged_on = last_year.judged_on
            and drawn.fit_date = last_year.origin_date
            and drawn.horizon_days = last_year.horizon_days
            and drawn.customer_id = last_year.customer_id
            and last_year.window_name = 'last_year'
    where drawn.draw <= drawn.sample_size

)

select * from holdouts
