-- Grain: one row per as-of date and customer with an order that lately ended a long gap.
-- Long is longer than a fixed number of days and than the customer's own usual gap, of which the
-- gap in question is no part.
with

as_of_dates as (

    select
        as_of_dates.as_of_date,
        as_of_dates.as_of_number,
        settings.minimum_comeback_gap_days,
        settings.comeback_gap_multiple,
        cast(
            {{ dbt.dateadd(
                'day', '-settings.comeback_days', 'as_of_dates.as_of_date'
            ) }} as date
        ) as after_date
    from {{ ref('int_as_of_dates') }} as as_of_dates
    inner join {{ ref('int_settings__by_as_of') }} as settings
        on as_of_dates.as_of_date = settings.as_of_date

),

order_days as (
    select * from {{ ref('int_customers__order_days') }}
    where gap_days is not null
),

long_gaps as (

    select
        as_of_dates.as_of_date,
        as_of_dates.comeback_gap_multiple,
        order_days.customer_id,
        order_days.from_number,
        order_days.order_date,
        order_days.gap_days
    from order_days
    inner join as_of_dates
        on
            order_days.gap_days > as_of_dates.minimum_comeback_gap_days
            and order_days.order_date > as_of_dates.after_date
            and order_days.order_date <= as_of_dates.as_of_date
            and order_days.from_number <= as_of_dates.as_of_number
            and (
                order_days.until_number is null
                or order_days.until_number > as_of_dates.as_of_number
            )

),

compared_gaps as (

    select
        long_gaps.as_of_date,
        long_gaps.customer_id,
        long_gaps.order_date,
        long_gaps.gap_days,
        long_gaps.comeback_gap_multiple,
        percentile_cont(0.5) within group (
            order by cast(other_days.gap_days as double)
        ) as other_median_gap_days
    from long_gaps
    left join order_days as other_days
        on
            long_gaps.customer_id = other_days.customer_id
            and long_gaps.from_number = other_days.from_number
            and long_gaps.as_of_date >= other_days.order_date
            and long_gaps.order_date <> other_days.order_date
    group by
        long_gaps.as_of_date,
        long_gaps.customer_id,
        long_gaps.order_date,
        long_gaps.gap_days,
        long_gaps.comeback_gap_multiple

),

comebacks as (

    select
        as_of_date,
        customer_id,
        count(*) as comebacks,
        max(gap_days) as longest_gap_days
    from compared_gaps
    where
        other_median_gap_days is null
        or gap_days
        > comeback_gap_multiple * cast(other_median_gap_days as decimal(9, 2))
    group by as_of_date, customer_id

)

select * from comebacks
