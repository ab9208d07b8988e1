-- Grain: one row per as-of date, how long the population's cycle of ordering is.
-- The median of customers' median gaps: each customer counts once, however often it orders.
with

settings as (
    select * from {{ ref('int_settings__by_as_of') }}
),

rhythm as (
    select * from {{ ref('int_customers__rhythm') }}
    where median_gap_days is not null
),

medians as (

    select
        as_of_date,
        percentile_cont(0.5) within group (
            order by cast(median_gap_days as double)
        ) as median_gap_days
    from rhythm
    group by as_of_date

),

cycles as (

    select
        settings.as_of_date,
        cast(medians.median_gap_days as decimal(9, 2)) as median_gap_days,
        greatest(
            settings.minimum_cycle_days,
            coalesce(
                cast(medians.median_gap_days as decimal(9, 2)),
                settings.minimum_cycle_days
            )
        ) as cycle_days
    from settings
    left join medians
        on settings.as_of_date = medians.as_of_date

)

select * from cycles
