-- Grain: one row per fit date, source, repeat order days, recency, age: customers who look the same.
with

histories as (
    select * from {{ ref('int_clv__histories') }}
),

order_groups as (

    select
        fit_date,
        source,
        frequency,
        recency_days,
        age_days,
        count(*) as customers
    from histories
    group by fit_date, source, frequency, recency_days, age_days

)

select * from order_groups
