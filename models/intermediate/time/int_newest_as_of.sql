-- Grain: exactly one row, the day of the newest accepted fact; none where there are no facts.
-- Only the data know their newest day, never a clock and never a variable. A warehouse of a past day
-- is as of that day, also where nothing happened on it.
with

orders as (
    select * from {{ ref('int_orders__united') }}
),

refunds as (
    select * from {{ ref('int_refunds__united') }}
),

interactions as (
    select * from {{ ref('int_interactions__united') }}
),

customers as (
    select * from {{ ref('int_customers__united') }}
),

increment as (
    select * from {{ ref('stg_control__increment') }}
),

known_days as (

    select min(known_since) as known_from from customers

),

fact_days as (

    select
        min(order_date) as first_date,
        max(order_date) as last_date
    from orders

    union all

    select
        min(refund_date) as first_date,
        max(refund_date) as last_date
    from refunds

    union all

    select
        min(interaction_date) as first_date,
        max(interaction_date) as last_date
    from interactions

),

bounds as (

    select
        min(fact_days.first_date) as first_fact_date,
        case
            when max(increment.last_day) < date '9999-12-31'
                then max(increment.last_day)
            else max(fact_days.last_date)
        end as newest_as_of_date
    from fact_days
    cross join increment
    having max(fact_days.last_date) is not null

),

newest_as_of as (

    select
        bounds.newest_as_of_date,
        cast(
            {{ dbt.dateadd(
                'day', -1, dbt.date_trunc('month', 'bounds.newest_as_of_date')
            ) }} as date
        ) as previous_as_of_date,
        bounds.first_fact_date,
        least(bounds.first_fact_date, known_days.known_from) as known_from
    from bounds
    cross join known_days

)

select * from newest_as_of
