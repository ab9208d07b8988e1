-- Grain: one row per as-of date and customer with an order day, how regularly it orders.
-- Gaps are summed up once for each order day that is a customer's last at some as-of, not once for
-- each as-of.
with

measures as (
    select * from {{ ref('int_customers__measures') }}
    where orders_to_date > 0
),

as_of_dates as (
    select * from {{ ref('int_as_of_dates') }}
),

order_days as (
    select * from {{ ref('int_customers__order_days') }}
),

last_order_days as (

    select
        measures.as_of_date,
        measures.customer_id,
        order_days.from_number,
        order_days.order_date,
        order_days.order_day_number,
        {{ dbt.datediff(
            'order_days.first_order_date', 'order_days.order_date', 'day'
        ) }} as summed_gaps
    from measures
    inner join as_of_dates
        on measures.as_of_date = as_of_dates.as_of_date
    inner join order_days
        on
            measures.customer_id = order_days.customer_id
            and measures.last_order_date = order_days.order_date
            and as_of_dates.as_of_number >= order_days.from_number
            and (
                order_days.until_number is null
                or as_of_dates.as_of_number < order_days.until_number
            )

),

prefixes as (

    select
        customer_id,
        from_number,
        order_date
    from last_order_days
    where order_day_number > 1
    group by customer_id, from_number, order_date

),

gaps_so_far as (

    select
        prefixes.customer_id,
        prefixes.from_number,
        prefixes.order_date,
        percentile_cont(0.5) within group (
            order by cast(order_days.gap_days as double)
        ) as median_gap_days,
        sum(cast(order_days.gap_days as bigint) * order_days.gap_days) as squared_gaps
    from prefixes
    inner join order_days
        on
            prefixes.customer_id = order_days.customer_id
            and prefixes.from_number = order_days.from_number
            and prefixes.order_date >= order_days.order_date
    where order_days.gap_days is not null
    group by prefixes.customer_id, prefixes.from_number, prefixes.order_date

),

rhythm as (

    select
        last_order_days.as_of_date,
        last_order_days.customer_id,
        last_order_days.order_day_number as order_days,
        gaps_so_far.median_gap_days,
        -- Sample standard deviation over mean, in whole days up to the root:
        -- with n gaps, sqrt((n x squares - sum x sum) / (n (n - 1))) / (sum / n).
        case
            when last_order_days.order_day_number > 2
                then
                    sqrt(
                        cast(
                            (last_order_days.order_day_number - 1)
                            * gaps_so_far.squared_gaps
                            - cast(last_order_days.summed_gaps as bigint)
                            * last_order_days.summed_gaps
                            as double
                        )
                        / cast(
                            (last_order_days.order_day_number - 1)
                            * (last_order_days.order_day_number - 2)
                            as double
                        )
                    )
                    * cast(last_order_days.order_day_number - 1 as double)
                    / nullif(cast(last_order_days.summed_gaps as double), 0)
        end as gap_variation
    from last_order_days
    left join gaps_so_far
        on
            last_order_days.customer_id = gaps_so_far.customer_id
            and last_order_days.from_number = gaps_so_far.from_number
            and last_order_days.order_date = gaps_so_far.order_date

)

select * from rhythm
