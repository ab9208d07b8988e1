-- Grain: one row per as-of date and customer who ever ordered, its ABC class.
-- The class looks at the revenue that strictly better customers hold, so equal customers share a
-- class and the greatest customer is always A.
with

measures as (
    select * from {{ ref('int_customers__measures') }}
    where orders_to_date > 0
),

bands as (
    select * from {{ ref('int_bands__by_as_of') }}
    where dimension = 'abc_class'
),

earning_customers as (

    select
        as_of_date,
        customer_id,
        cast(sum(net_revenue_12m) over (partition by as_of_date) as decimal(19, 2))
            as total_revenue,
        cast(
            sum(net_revenue_12m) over (
                partition by as_of_date
                order by net_revenue_12m desc nulls last
                range between unbounded preceding and current row
            ) - sum(net_revenue_12m) over (partition by as_of_date, net_revenue_12m)
            as decimal(20, 2)
        ) as better_revenue
    from measures
    where net_revenue_12m > 0

),

classified_customers as (

    -- Cross-multiplied in exact decimals: a share on the cut belongs to the class above it.
    select
        earning_customers.as_of_date,
        earning_customers.customer_id,
        cast(earning_customers.better_revenue * 100 as double)
        / nullif(cast(earning_customers.total_revenue * 100 as double), 0)
            as better_revenue_share,
        bands.code as abc_class
    from earning_customers
    inner join bands
        on
            earning_customers.as_of_date = bands.as_of_date
            and earning_customers.better_revenue
            >= bands.lower_bound * earning_customers.total_revenue
            and earning_customers.better_revenue
            < bands.upper_bound * earning_customers.total_revenue

),

abc_classes as (

    select
        measures.as_of_date,
        measures.customer_id,
        classified_customers.better_revenue_share,
        coalesce(classified_customers.abc_class, 'C') as abc_class
    from measures
    left join classified_customers
        on
            measures.as_of_date = classified_customers.as_of_date
            and measures.customer_id = classified_customers.customer_id

)

select * from abc_classes
