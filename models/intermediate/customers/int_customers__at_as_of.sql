-- Grain: one row per as-of date and customer that existed on it.
-- A customer without any dated event is known of today only, so it stands at the newest as-of and
-- never in the past.
with

customers as (
    select * from {{ ref('int_customers__united') }}
),

as_of_dates as (
    select * from {{ ref('int_as_of_dates') }}
),

increment as (
    select * from {{ ref('stg_control__increment') }}
),

existing_customers as (

    select
        as_of_dates.as_of_date,
        as_of_dates.is_newest,
        customers.source,
        customers.customer_id
    from as_of_dates
    cross join customers
    cross join increment
    where
        customers.known_since <= as_of_dates.as_of_date
        or (
            customers.known_since is null
            and as_of_dates.is_newest
            and increment.last_day = date '9999-12-31'
        )

)

select * from existing_customers
