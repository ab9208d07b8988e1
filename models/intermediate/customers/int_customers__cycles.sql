-- Grain: one row per as-of date and customer with an order, its complete cycles and those with orders.
-- Cycle n has the days d with n - 1 < (d - first order day) / cycle length <= n, so the first order is in
-- none. In quarters of a day, as medians of medians of whole days are: no rounding error moves a day
-- over an edge. A cycle with orders is counted at its first order day.
with

measures as (
    select * from {{ ref('int_customers__measures') }}
    where orders_to_date > 0
),

as_of_dates as (

    select
        as_of_dates.as_of_date,
        as_of_dates.as_of_number,
        cast(cycles.cycle_days * 4 as bigint) as cycle_quarters
    from {{ ref('int_as_of_dates') }} as as_of_dates
    inner join {{ ref('int_as_of_dates__cycles') }} as cycles
        on as_of_dates.as_of_date = cycles.as_of_date

),

order_days as (

    select
        customer_id,
        from_number,
        until_number,
        order_date,
        4 * {{ dbt.datediff(
            'first_order_date', 'order_date', 'day'
        ) }} as quarters,
        4 * {{ dbt.datediff(
            'first_order_date', 'previous_order_date', 'day'
        ) }} as previous_quarters
    from {{ ref('int_customers__order_days') }}
    where order_day_number > 1

),

tenures as (

    select
        measures.as_of_date,
        measures.customer_id,
        as_of_dates.cycle_quarters,
        4 * {{ dbt.datediff(
            'measures.first_order_date', 'measures.as_of_date', 'day'
        ) }} as quarters
    from measures
    inner join as_of_dates
        on measures.as_of_date = as_of_dates.as_of_date

),

customers as (

    select
        as_of_date,
        customer_id,
        {{ integer_quotient('quarters', 'cycle_quarters') }} as cycles
    from tenures

),

numbered_days as (

    select
        as_of_dates.as_of_date,
        order_days.customer_id,
        {{ integer_quotient(
            'order_days.quarters + as_of_dates.cycle_quarters - 1',
            'as_of_dates.cycle_quarters'
        ) }} as cycle_number,
        {{ integer_quotient(
            'order_days.previous_quarters + as_of_dates.cycle_quarters - 1',
            'as_of_dates.cycle_quarters'
        ) }} as previous_cycle_number
    from order_days
    inner join as_of_dates
        on
            order_days.order_date <= as_of_dates.as_of_date
            and order_days.from_number <= as_of_dates.as_of_number
            and (
                order_days.until_number is null
                or order_days.until_number > as_of_dates.as_of_number
            )

),

begun_cycles as (

    select
        as_of_date,
        customer_id,
        cycle_number
    from numbered_days
    where cycle_number > previous_cycle_number

),

counted_cycles as (

    select
        customers.as_of_date,
        customers.customer_id,
        customers.cycles,
        count(begun_cycles.cycle_number) as cycles_with_orders
    from customers
    left join begun_cycles
        on
            customers.as_of_date = begun_cycles.as_of_date
            and customers.customer_id = begun_cycles.customer_id
            and customers.cycles >= begun_cycles.cycle_number
    group by customers.as_of_date, customers.customer_id, customers.cycles

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
    from counted_cycles

)

select * from rated
