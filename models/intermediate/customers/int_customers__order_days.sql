-- Grain: one row per customer, stretch of as-ofs and day with a counted order.
-- An order day is known from its own day on. Where a refund voids an order, the day may vanish: the
-- as-ofs of such a customer are cut there into stretches, each with its own order days. Most
-- customers have one stretch, of all as-ofs.
with

orders as (
    select * from {{ ref('int_orders__valued') }}
    where customer_id is not null and is_countable
),

periods as (
    select * from {{ ref('int_days__periods') }}
),

void_numbers as (

    select
        orders.customer_id,
        periods.first_as_of_number as from_number
    from orders
    inner join periods
        on orders.voided_on = periods.date_day
    group by orders.customer_id, periods.first_as_of_number

),

stretch_starts as (

    select
        customer_id,
        from_number
    from void_numbers
    union
    select
        customer_id,
        1 as from_number
    from void_numbers

),

stretches as (

    select
        customer_id,
        from_number,
        lead(from_number) over (
            partition by customer_id
            order by from_number asc nulls first
        ) as until_number
    from stretch_starts

),

order_days as (

    select
        orders.customer_id,
        coalesce(stretches.from_number, 1) as from_number,
        stretches.until_number,
        orders.order_date
    from orders
    left join stretches
        on orders.customer_id = stretches.customer_id
    left join periods as void_days
        on orders.voided_on = void_days.date_day
    -- Void orders count in the stretches that end before they are.
    where
        orders.voided_on is null
        or void_days.first_as_of_number >= stretches.until_number
    group by
        orders.customer_id,
        coalesce(stretches.from_number, 1),
        stretches.until_number,
        orders.order_date

),

numbered as (

    select
        *,
        row_number() over so_far as order_day_number,
        min(order_date) over so_far as first_order_date,
        lag(order_date) over so_far as previous_order_date
    from order_days
    window so_far as (
        partition by customer_id, from_number
        order by order_date asc nulls first
    )

),

with_gaps as (

    select
        customer_id,
        from_number,
        until_number,
        order_date,
        order_day_number,
        first_order_date,
        previous_order_date,
        {{ dbt.datediff(
            'previous_order_date', 'order_date', 'day'
        ) }} as gap_days
    from numbered

)

select * from with_gaps
