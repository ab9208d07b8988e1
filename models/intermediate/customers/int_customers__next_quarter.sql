-- Grain: one row per month-end whose 91 days after are over, and customer with an order or revenue in
-- them.
-- What truly happened, as it is known today: an order that was voided since counts nowhere.
with

month_ends as (
    select * from {{ ref('int_month_ends__closed') }}
),

days as (
    select * from {{ ref('int_days') }}
),

newest_as_of as (
    select * from {{ ref('int_newest_as_of') }}
),

orders as (
    select * from {{ ref('int_orders__valued') }}
    where customer_id is not null and is_countable
),

ledger as (
    select * from {{ ref('int_sales_ledger') }}
    where customer_id is not null
),

-- A day lies in three windows or four.
window_days as (

    select
        month_ends.as_of_date,
        days.date_day
    from month_ends
    inner join days
        on
            month_ends.as_of_date < days.date_day
            and month_ends.closes_on >= days.date_day

),

facts as (

    select
        orders.customer_id,
        orders.order_date as fact_date,
        1 as order_count,
        cast(0 as decimal(18, 2)) as net_amount
    from orders
    cross join newest_as_of
    where
        orders.voided_on is null
        or orders.voided_on > newest_as_of.newest_as_of_date

    union all

    select
        customer_id,
        ledger_date as fact_date,
        0 as order_count,
        net_amount
    from ledger

),

next_quarter as (

    select
        window_days.as_of_date,
        facts.customer_id,
        cast(sum(facts.order_count) as bigint) as orders_next_3m,
        cast(sum(facts.net_amount) as decimal(18, 2)) as net_revenue_next_3m
    from facts
    inner join window_days
        on facts.fact_date = window_days.date_day
    group by window_days.as_of_date, facts.customer_id

)

select * from next_quarter
