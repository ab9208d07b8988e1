-- Grain: one row per customer and as-of at which the categories that it bought change.
-- A category counts while any of its lines lies in the 12 months. Lines of one category overlap, so
-- each adds only the as-ofs that none before it reached: sums of such pieces are distinct counts.
with

order_lines as (
    select * from {{ ref('int_order_lines__valued') }}
    where customer_id is not null and quantity > 0
),

-- Few orders are voided or count for nothing: cheaper than all orders.
excepted_orders as (
    select * from {{ ref('int_orders__valued') }}
    where not is_countable or voided_on is not null
),

products as (
    select * from {{ ref('int_products__united') }}
),

periods as (
    select * from {{ ref('int_days__periods') }}
),

spans as (
    select * from {{ ref('int_periods__spans') }}
    where window_name = '12m'
),

as_of_dates as (
    select * from {{ ref('int_as_of_dates') }}
),

stays as (

    select
        order_lines.customer_id,
        -- Lines without a known category tell that something was bought.
        coalesce(products.category, '') as category,
        spans.from_number,
        coalesce(
            least(spans.until_number, void_days.first_as_of_number), 1000000
        ) as until_number
    from order_lines
    inner join periods
        on order_lines.order_date = periods.date_day
    inner join spans
        on periods.period_number = spans.period_number
    left join products
        on order_lines.product_id = products.product_id
    left join excepted_orders
        on order_lines.order_id = excepted_orders.order_id
    left join periods as void_days
        on excepted_orders.voided_on = void_days.date_day
    where coalesce(excepted_orders.is_countable, true)
    group by
        order_lines.customer_id,
        coalesce(products.category, ''),
        spans.from_number,
        coalesce(least(spans.until_number, void_days.first_as_of_number), 1000000)

),

reached as (

    select
        *,
        max(until_number) over (
            partition by customer_id, category
            order by from_number asc nulls first, until_number asc nulls first
            rows between unbounded preceding and 1 preceding
        ) as reached_number
    from stays
    where until_number > from_number

),

pieces as (

    select
        customer_id,
        category,
        greatest(from_number, coalesce(reached_number, 0)) as from_number,
        until_number
    from reached
    where until_number > coalesce(reached_number, 0)

),

changes as (

    select
        customer_id,
        category,
        from_number as as_of_number,
        1 as change
    from pieces

    union all

    select
        customer_id,
        category,
        until_number as as_of_number,
        -1 as change
    from pieces

),

changes_by_as_of as (

    select
        changes.customer_id,
        as_of_dates.as_of_date,
        sum(case when changes.category <> '' then changes.change else 0 end)
            as known_categories_change,
        sum(case when changes.category = '' then changes.change else 0 end)
            as unknown_categories_change
    from changes
    inner join as_of_dates
        on changes.as_of_number = as_of_dates.as_of_number
    group by changes.customer_id, as_of_dates.as_of_date

)

select * from changes_by_as_of
