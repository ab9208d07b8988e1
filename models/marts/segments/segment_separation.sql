-- Grain: one row per month-end whose 91 days after are over and dimension, how well its segments tell
-- who comes back from who does not.
with

performance as (
    select * from {{ ref('segment_performance') }}
),

-- Who never ordered cannot come back, and unknown is no place: such segments are not compared.
segment_ranks as (
    select * from {{ ref('segment_ranks') }}
),

compared as (

    select
        performance.as_of_date,
        performance.dimension,
        performance.customers,
        performance.returning_customers,
        performance.return_rate,
        cast(sum(performance.returning_customers) over by_dimension as double)
        / cast(sum(performance.customers) over by_dimension as double)
            as overall_rate,
        case
            when segment_ranks.segment_rank is not null
                then lead(performance.return_rate) over (
                    partition by performance.as_of_date, performance.dimension
                    order by segment_ranks.segment_rank asc nulls first
                )
        end as next_worse_rate
    from performance
    inner join segment_ranks
        on
            performance.dimension = segment_ranks.dimension
            and performance.segment = segment_ranks.code
    window by_dimension as (
        partition by performance.as_of_date, performance.dimension
    )

),

summed_up as (

    select
        as_of_date,
        dimension,
        count(*) as segments,
        sum(customers) as customers,
        sum(returning_customers) as returning_customers,
        count(next_worse_rate) as neighbours,
        count(*) filter (where next_worse_rate <= return_rate) as neighbours_in_order,
        -- As decimals: a sum of doubles depends on the order of adding.
        sum(
            cast(
                customers * (return_rate - overall_rate) * (return_rate - overall_rate)
                as decimal(28, 12)
            )
        ) as variation_between
    from compared
    group by as_of_date, dimension

),

separation as (

    select
        dimension || ':' || cast(as_of_date as {{ dbt.type_string() }})
            as segment_separation_id,
        as_of_date,
        dimension,
        cast(segments as bigint) as segments,
        cast(customers as bigint) as customers,
        cast(returning_customers as double) / cast(customers as double) as return_rate,
        case
            when segments > 1
                then
                    cast(variation_between as double) * cast(customers as double)
                    / nullif(
                        cast(returning_customers as double)
                        * cast(customers - returning_customers as double), 0
                    )
        end as separation,
        cast(neighbours as bigint) as neighbours,
        cast(neighbours_in_order as double) / nullif(cast(neighbours as double), 0)
            as monotonicity
    from summed_up

)

select * from separation
