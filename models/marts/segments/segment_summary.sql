-- Grain: one row per headline segment at the newest as-of.
with

segments as (
    select * from {{ ref('int_customers__segments') }}
),

as_of_dates as (
    select * from {{ ref('int_as_of_dates') }}
    where is_newest
),

labels as (
    select * from {{ ref('labels') }}
    where dimension = 'headline_segment'
),

totals as (

    select
        as_of_date,
        headline_segment,
        count(*) as customers,
        sum(net_revenue_12m) as net_revenue_12m
    from segments
    group by as_of_date, headline_segment

),

-- Every segment has a row, also one that nobody is in today.
summary as (

    select
        as_of_dates.as_of_date,
        labels.code as segment,
        labels.sort_order,
        coalesce(current_totals.customers, 0) as customers,
        coalesce(current_totals.net_revenue_12m, 0) as net_revenue_12m,
        coalesce(current_totals.customers, 0) - coalesce(previous_totals.customers, 0)
            as customers_change
    from as_of_dates
    cross join labels
    left join totals as current_totals
        on
            as_of_dates.as_of_date = current_totals.as_of_date
            and labels.code = current_totals.headline_segment
    left join totals as previous_totals
        on
            as_of_dates.previous_as_of_date = previous_totals.as_of_date
            and labels.code = previous_totals.headline_segment

),

shared_summary as (

    select
        as_of_date,
        segment,
        cast(sort_order as int) as sort_order,
        cast(customers as bigint) as customers,
        cast(customers as double)
        / nullif(cast(sum(customers) over () as double), 0) as customer_share,
        cast(net_revenue_12m as decimal(18, 2)) as net_revenue_12m,
        cast(net_revenue_12m as double)
        / nullif(cast(sum(net_revenue_12m) over () as double), 0) as revenue_share,
        cast(customers_change as bigint) as customers_change
    from summary

)

select * from shared_summary
