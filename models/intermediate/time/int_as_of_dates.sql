-- Grain: one row per as-of date that the customer models are computed for.
-- A model and not a variable: only the data know their newest day, never a clock. The month-end
-- before the newest is there so that "change since" is computed on today's data.
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

newest_facts as (

    select max(order_date) as fact_date from orders
    union all
    select max(refund_date) as fact_date from refunds
    union all
    select max(interaction_date) as fact_date from interactions

),

newest_as_of as (

    select max(fact_date) as newest_as_of_date
    from newest_facts
    having max(fact_date) is not null

),

newest_and_previous as (

    select
        newest_as_of_date,
        cast(
            {{ dbt.dateadd('day', -1, dbt.date_trunc('month', 'newest_as_of_date')) }}
            as date
        ) as previous_as_of_date
    from newest_as_of

),

as_of_dates as (

    select
        newest_as_of_date as as_of_date,
        previous_as_of_date,
        true as is_newest
    from newest_and_previous

    union all

    select
        previous_as_of_date as as_of_date,
        cast(null as date) as previous_as_of_date,
        false as is_newest
    from newest_and_previous

)

select * from as_of_dates
