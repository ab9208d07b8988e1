-- Grain: one row per as-of date and customer who ever ordered, its place between value and potential.
-- The cuts are the calibrated figures, else the medians of the buyers of 12 months; equal is high.
with

measures as (
    select * from {{ ref('int_customers__measures') }}
    where orders_to_date > 0
),

clv as (
    select * from {{ ref('int_customers__clv') }}
),

settings as (
    select * from {{ ref('int_settings__by_as_of') }}
),

quadrants as (
    select * from {{ ref('value_potential_quadrants') }}
),

customers as (

    select
        measures.as_of_date,
        measures.customer_id,
        measures.orders_12m,
        measures.net_revenue_12m,
        clv.clv_predicted
    from measures
    inner join clv
        on
            measures.as_of_date = clv.as_of_date
            and measures.customer_id = clv.customer_id

),

medians as (

    select
        as_of_date,
        percentile_cont(0.5) within group (
            order by cast(net_revenue_12m as double)
        ) as median_revenue,
        percentile_cont(0.5) within group (
            order by cast(clv_predicted as double)
        ) as median_clv
    from customers
    where orders_12m > 0
    group by as_of_date

),

cuts as (

    select
        settings.as_of_date,
        coalesce(settings.quadrant_value_cut, medians.median_revenue) as value_cut,
        coalesce(settings.potential_cut, medians.median_clv) as potential_cut
    from settings
    left join medians
        on settings.as_of_date = medians.as_of_date

),

levels as (

    select
        customers.as_of_date,
        customers.customer_id,
        customers.net_revenue_12m,
        customers.clv_predicted,
        cuts.value_cut,
        cuts.potential_cut,
        -- Without a buyer in 12 months there is no median, and nobody is above it.
        case
            when cast(customers.net_revenue_12m as double) >= cuts.value_cut then 'high'
            else 'low'
        end as value_level,
        case
            when customers.clv_predicted is null or cuts.potential_cut is null
                then 'unknown'
            when cast(customers.clv_predicted as double) >= cuts.potential_cut
                then 'high'
            else 'low'
        end as potential_band
    from customers
    inner join cuts
        on customers.as_of_date = cuts.as_of_date

),

potential as (

    select
        levels.as_of_date,
        levels.customer_id,
        levels.net_revenue_12m,
        levels.clv_predicted,
        levels.value_cut,
        levels.potential_cut,
        levels.value_level,
        levels.potential_band,
        coalesce(quadrants.value_potential_quadrant, 'unknown')
            as value_potential_quadrant
    from levels
    left join quadrants
        on
            levels.value_level = quadrants.value_level
            and levels.potential_band = quadrants.potential_band
            and {{ holds_on('quadrants', 'levels.as_of_date') }}

)

select * from potential
