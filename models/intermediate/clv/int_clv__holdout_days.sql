-- Grain: one row per backtest, window (holdout, last_year) and customer with an order in it.
-- What came is taken as known at the month-end that judges, last year as known at the origin.
with

orders as (
    select * from {{ ref('int_orders__valued') }}
    where customer_id is not null and is_countable
),

backtests as (
    select * from {{ ref('int_clv__backtests') }}
),

days as (
    select * from {{ ref('int_days') }}
),

windows as (

    select
        judged_on,
        origin_date,
        horizon_days,
        'holdout' as window_name,
        judged_on as known_on,
        origin_date as opens_after,
        horizon_date as closes_on
    from backtests

    union all

    select
        judged_on,
        origin_date,
        horizon_days,
        'last_year' as window_name,
        origin_date as known_on,
        last_year_after as opens_after,
        last_year_until as closes_on
    from backtests

),

-- Found by their day: a range join of orders and windows would sort all orders.
window_days as (

    select
        windows.*,
        days.date_day
    from windows
    inner join days
        on
            days.date_day > windows.opens_after
            and days.date_day <= windows.closes_on

),

-- First by day, then over days: to count distinct days at once takes memory that cannot spill.
order_days as (

    select
        window_days.judged_on,
        window_days.origin_date,
        window_days.horizon_days,
        window_days.window_name,
        orders.customer_id,
        orders.order_date,
        sum(orders.net_amount) as revenue,
        sum(coalesce(orders.margin_amount, 0)) as margin
    from orders
    inner join window_days
        on orders.order_date = window_days.date_day
    where orders.voided_on is null or orders.voided_on > window_days.known_on
    group by
        window_days.judged_on,
        window_days.origin_date,
        window_days.horizon_days,
        window_days.window_name,
        orders.customer_id,
        orders.order_date

),

holdout_days as (

    select
        judged_on,
        origin_date,
        horizon_days,
        window_name,
        customer_id,
        count(*) as order_days,
        sum(revenue) as revenue,
        sum(margin) as margin
    from order_days
    group by judged_on, origin_date, horizon_days, window_name, customer_id

)

select * from holdout_days
