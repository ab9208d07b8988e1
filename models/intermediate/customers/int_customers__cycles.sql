-- Grain: one row per as-of date and customer with an order, its complete cycles and those with orders.
-- Cycle n has the days d with n - 1 < (d - first order day) / cycle length <= n, so cycle 0 is the first
-- order day alone and no cycle of the rate. In quarters of a day, as medians of medians of whole days
-- are: no rounding error moves a day over an edge. A cycle with orders is begun by its first order day
-- and counted at the as-ofs that know all of it.
with

as_of_dates as (

    select
        as_of_dates.as_of_date,
        as_of_dates.as_of_number,
        cast(cycles.cycle_days * 4 as bigint) as cycle_quarters
    from {{ ref('int_as_of_dates') }} as as_of_dates
    inner join {{ ref('int_as_of_dates__cycles') }} as cycles
        on as_of_dates.as_of_date = cycles.as_of_date

),

-- Mostly one for all as-ofs.
cycle_lengths as (

    select cycle_quarters
    from as_of_dates
    group by cycle_quarters

),

order_days as (

    select
        customer_id,
        from_number,
        until_number,
        first_order_date,
        4 * {{ dbt.datediff(
            'first_order_date', 'order_date', 'day'
        ) }} as quarters,
        4 * {{ dbt.datediff(
            'first_order_date', 'previous_order_date', 'day'
        ) }} as previous_quarters
    from {{ ref('int_customers__order_days') }}

),

numbered_days as (

    select
        order_days.*,
        cycle_lengths.cycle_quarters,
        {{ integer_quotient(
            'order_days.quarters + cycle_lengths.cycle_quarters - 1',
            'cycle_lengths.cycle_quarters'
        ) }} as cycle_number
    from order_days
    cross join cycle_lengths

),

begun_cycles as (

    select
        customer_id,
        from_number,
        until_number,
        first_order_date,
        cycle_quarters,
        {{ integer_quotient('cycle_number * cycle_quarters + 3', '4') }} as last_day
    from numbered_days
    where
        previous_quarters is null
        or previous_quarters <= (cycle_number - 1) * cycle_quarters

),

dated_cycles as (

    select
        customer_id,
        from_number,
        until_number,
        first_order_date,
        cycle_quarters,
        cast(
            {{ dbt.dateadd('day', 'last_day', 'first_order_date') }} as date
        ) as last_date
    from begun_cycles

),

counted_cycles as (

    select
        as_of_dates.as_of_date,
        dated_cycles.customer_id,
        dated_cycles.first_order_date,
        as_of_dates.cycle_quarters,
        count(*) - 1 as cycles_with_orders
    from dated_cycles
    inner join as_of_dates
        on
            dated_cycles.cycle_quarters = as_of_dates.cycle_quarters
            and dated_cycles.last_date <= as_of_dates.as_of_date
            and dated_cycles.from_number <= as_of_dates.as_of_number
            and (
                dated_cycles.until_number is null
                or dated_cycles.until_number > as_of_dates.as_of_number
            )
    group by
        as_of_dates.as_of_date,
        dated_cycles.customer_id,
        dated_cycles.first_order_date,
        as_of_dates.cycle_quarters

),

tenures as (

    select
        as_of_date,
        customer_id,
        cycle_quarters,
        4 * {{ dbt.datediff(
            'first_order_date', 'as_of_date', 'day'
        ) }} as quarters,
        cycles_with_orders
    from counted_cycles

),

complete_cycles as (

    select
        as_of_date,
        customer_id,
        {{ integer_quotient('quarters', 'cycle_quarters') }} as cycles,
        cycles_with_orders
    from tenures

),

rated as (

    select
        as_of_date,
        customer_id,
        cycles,
        cycles_with_orders,
        -- One cycle shows no habit.
        case
            when cycles >= 2
                then
                    cast(cycles_with_orders as double)
                    / nullif(cast(cycles as double), 0)
        end as repeat_rate
    from complete_cycles

)

select * from rated
