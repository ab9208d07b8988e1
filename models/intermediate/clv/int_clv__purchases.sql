-- Grain: one row per fit date and customer with a counted order by then, its order days summed up.
-- Orders of a day are one purchase, the first is not counted. Whoever never had an order voided is
-- summed up once over all dates; the few others are looked at for each date.
with

orders as (
    select * from {{ ref('int_orders__valued') }}
    where customer_id is not null and is_countable
),

fit_dates as (
    select * from {{ ref('int_clv__fit_dates') }}
),

days as (
    select * from {{ ref('int_days') }}
),

first_fits as (

    select
        days.date_day,
        min(fit_dates.fit_number) as fit_number
    from days
    inner join fit_dates
        on days.date_day <= fit_dates.fit_date
    group by days.date_day

),

voiding_customers as (

    select customer_id
    from orders
    where voided_on is not null
    group by customer_id

),

steady_days as (

    select
        orders.customer_id,
        orders.order_date,
        sum(orders.net_amount) as revenue,
        sum(coalesce(orders.margin_amount, 0)) as margin
    from orders
    left join voiding_customers
        on orders.customer_id = voiding_customers.customer_id
    where voiding_customers.customer_id is null
    group by orders.customer_id, orders.order_date

),

-- No window numbers the days: it would hold all of them in memory, and the first is known so.
first_days as (

    select
        customer_id,
        min(order_date) as order_date
    from orders
    group by customer_id

),

steady_changes as (

    select
        steady_days.customer_id,
        first_fits.fit_number,
        min(steady_days.order_date) as first_order_date,
        max(steady_days.order_date) as last_order_date,
        count(*) filter (where steady_days.order_date > first_days.order_date)
            as repeats,
        sum(
            case
                when steady_days.order_date > first_days.order_date
                    then steady_days.revenue
            end
        ) as revenue,
        sum(
            case
                when steady_days.order_date > first_days.order_date
                    then steady_days.margin
            end
        ) as margin
    from steady_days
    inner join first_days
        on steady_days.customer_id = first_days.customer_id
    inner join first_fits
        on steady_days.order_date = first_fits.date_day
    group by steady_days.customer_id, first_fits.fit_number

),

steady_customers as (

    select
        customer_id,
        min(fit_number) as first_fit_number
    from steady_changes
    group by customer_id

),

steady_histories as (

    select
        fit_dates.fit_date,
        steady_customers.customer_id,
        min(steady_changes.first_order_date) over so_far as first_order_date,
        max(steady_changes.last_order_date) over so_far as last_order_date,
        cast(sum(coalesce(steady_changes.repeats, 0)) over so_far as bigint)
            as frequency,
        cast(sum(coalesce(steady_changes.revenue, 0)) over so_far as decimal(18, 2))
            as repeat_revenue,
        cast(sum(coalesce(steady_changes.margin, 0)) over so_far as decimal(18, 2))
            as repeat_margin
    from steady_customers
    inner join fit_dates
        on steady_customers.first_fit_number <= fit_dates.fit_number
    left join steady_changes
        on
            steady_customers.customer_id = steady_changes.customer_id
            and fit_dates.fit_number = steady_changes.fit_number
    window so_far as (
        partition by steady_customers.customer_id
        order by fit_dates.fit_date asc nulls first
        rows between unbounded preceding and current row
    )

),

voided_days as (

    select
        fit_dates.fit_date,
        orders.customer_id,
        orders.order_date,
        sum(orders.net_amount) as revenue,
        sum(coalesce(orders.margin_amount, 0)) as margin,
        row_number() over (
            partition by fit_dates.fit_date, orders.customer_id
            order by orders.order_date asc nulls first
        ) as order_day_number
    from orders
    inner join voiding_customers
        on orders.customer_id = voiding_customers.customer_id
    inner join fit_dates
        on
            orders.order_date <= fit_dates.fit_date
            and (orders.voided_on is null or orders.voided_on > fit_dates.fit_date)
    group by fit_dates.fit_date, orders.customer_id, orders.order_date

),

purchases as (

    select * from steady_histories

    union all

    select
        fit_date,
        customer_id,
        min(order_date) as first_order_date,
        max(order_date) as last_order_date,
        cast(count(*) - 1 as bigint) as frequency,
        cast(
            sum(case when order_day_number > 1 then revenue else 0 end)
            as decimal(18, 2)
        ) as repeat_revenue,
        cast(
            sum(case when order_day_number > 1 then margin else 0 end)
            as decimal(18, 2)
        ) as repeat_margin
    from voided_days
    group by fit_date, customer_id

)

select * from purchases
