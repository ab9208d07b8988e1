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

order_days as (

    select
        windows.judged_on,
        windows.origin_date,
        windows.horizon_days,
        windows.window_name,
        orders.customer_id,
        count(distinct orders.order_date) as order_days,
        sum(orders.net_amount) as revenue,
        sum(coalesce(orders.margin_amount, 0)) as margin
    from orders
    inner join windows
        on
            orders.order_date > windows.opens_after
            and orders.order_date <= windows.closes_on
            and (orders.voided_on is null or orders.voided_on > windows.known_on)
    group by
        windows.judged_on,
        windows.origin_date,
        windows.horizon_days,
        windows.window_name,
        orders.customer_id

)

select * from order_days
