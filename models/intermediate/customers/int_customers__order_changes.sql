-- Grain: one row per customer and as-of at which a count of its orders changes.
-- Counts are given as changes against the as-of before, to be summed up: an order comes into a window
-- and leaves it once. An order that a refund voids leaves on that day. Days of orders cannot be
-- summed: those of voided orders stand beside, on every as-of that still counts them.
with

orders as (
    select * from {{ ref('int_orders__valued') }}
    where customer_id is not null and is_countable
),

periods as (
    select * from {{ ref('int_days__periods') }}
),

spans as (
    select * from {{ ref('int_periods__spans') }}
    where window_name in ('to_date', 'look_back', '24m', '12m')
),

as_of_dates as (
    select * from {{ ref('int_as_of_dates') }}
),

orders_by_period as (

    select
        orders.customer_id,
        periods.period_number,
        void_days.first_as_of_number as void_number,
        orders.voided_on is not null as is_voided,
        count(*) as order_count,
        min(orders.order_date) as first_order_date,
        max(orders.order_date) as last_order_date
    from orders
    inner join periods
        on orders.order_date = periods.date_day
    left join periods as void_days
        on orders.voided_on = void_days.date_day
    group by
        orders.customer_id,
        periods.period_number,
        void_days.first_as_of_number,
        orders.voided_on is not null

),

stays as (

    select
        orders_by_period.customer_id,
        spans.window_name,
        orders_by_period.is_voided,
        orders_by_period.order_count,
        orders_by_period.first_order_date,
        orders_by_period.last_order_date,
        spans.from_number,
        least(spans.until_number, orders_by_period.void_number) as until_number
    from orders_by_period
    inner join spans
        on
            orders_by_period.period_number = spans.period_number
            and (
                orders_by_period.void_number is null
                or spans.from_number < orders_by_period.void_number
            )

),

changes as (

    select
        customer_id,
        from_number as as_of_number,
        window_name,
        order_count as change,
        case when not is_voided and window_name = 'to_date' then first_order_date end
            as first_order_date,
        case when not is_voided and window_name = 'to_date' then last_order_date end
            as last_order_date,
        cast(null as date) as first_voided_order_date,
        cast(null as date) as last_voided_order_date
    from stays

    union all

    select
        customer_id,
        until_number as as_of_number,
        window_name,
        -order_count as change,
        cast(null as date) as first_order_date,
        cast(null as date) as last_order_date,
        cast(null as date) as first_voided_order_date,
        cast(null as date) as last_voided_order_date
    from stays
    where until_number is not null

    union all

    select
        stays.customer_id,
        as_of_dates.as_of_number,
        stays.window_name,
        0 as change,
        cast(null as date) as first_order_date,
        cast(null as date) as last_order_date,
        stays.first_order_date as first_voided_order_date,
        stays.last_order_date as last_voided_order_date
    from stays
    inner join as_of_dates
        on
            stays.from_number <= as_of_dates.as_of_number
            and (
                stays.until_number is null
                or stays.until_number > as_of_dates.as_of_number
            )
    where stays.is_voided and stays.window_name = 'to_date'

),

changes_by_as_of as (

    select
        changes.customer_id,
        as_of_dates.as_of_date,
        sum(case when changes.window_name = 'to_date' then changes.change else 0 end)
            as orders_to_date_change,
        sum(case when changes.window_name = 'look_back' then changes.change else 0 end)
            as frequency_change,
        sum(case when changes.window_name = '24m' then changes.change else 0 end)
            as orders_24m_change,
        sum(case when changes.window_name = '12m' then changes.change else 0 end)
            as orders_12m_change,
        min(changes.first_order_date) as first_order_date,
        max(changes.last_order_date) as last_order_date,
        min(changes.first_voided_order_date) as first_voided_order_date,
        max(changes.last_voided_order_date) as last_voided_order_date
    from changes
    inner join as_of_dates
        on changes.as_of_number = as_of_dates.as_of_number
    group by changes.customer_id, as_of_dates.as_of_date

)

select * from changes_by_as_of
