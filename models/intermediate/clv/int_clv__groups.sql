-- Grain: one row per fit date, source, repeat order days, recency, age: customers who look the same.
-- Days as they are; where that makes too many groups, whole weeks, rounded: cut off, everybody would
-- be half a week younger.
with

histories as (
    select * from {{ ref('int_clv__histories') }}
),

fit_dates as (
    select * from {{ ref('int_clv__fit_dates') }}
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

),

populations as (

    select
        order_groups.fit_date,
        order_groups.source,
        count(*) > max(fit_dates.clv_largest_groups) as is_by_week
    from order_groups
    inner join fit_dates
        on order_groups.fit_date = fit_dates.fit_date
    group by order_groups.fit_date, order_groups.source

),

by_day as (

    select order_groups.*
    from order_groups
    inner join populations
        on
            order_groups.fit_date = populations.fit_date
            and order_groups.source = populations.source
    where not populations.is_by_week

),

by_week as (

    select
        order_groups.fit_date,
        order_groups.source,
        order_groups.frequency,
        cast(7 * round(cast(order_groups.recency_days as double) / 7) as int)
            as recency_days,
        cast(7 * round(cast(order_groups.age_days as double) / 7) as int) as age_days,
        cast(sum(order_groups.customers) as bigint) as customers
    from order_groups
    inner join populations
        on
            order_groups.fit_date = populations.fit_date
            and order_groups.source = populations.source
    where populations.is_by_week
    group by
        order_groups.fit_date,
        order_groups.source,
        order_groups.frequency,
        cast(7 * round(cast(order_groups.recency_days as double) / 7) as int),
        cast(7 * round(cast(order_groups.age_days as double) / 7) as int)

),

grouped as (

    select * from by_day
    union all
    select * from by_week

)

select * from grouped
