-- Grain: one row per as-of date and customer, the plain measures that every rule looks at.
-- Facts dated after the as-of do not exist for it; a voided order leaves every count whose as-of
-- lies on or after the day that voided it.
with

customers as (
    select * from {{ ref('int_customers__at_as_of') }}
),

settings as (
    select * from {{ ref('int_settings__by_as_of') }}
),

orders as (
    select * from {{ ref('int_orders__valued') }}
    where customer_id is not null and is_countable
),

ledger as (
    select * from {{ ref('int_sales_ledger') }}
    where customer_id is not null
),

order_lines as (
    select * from {{ ref('int_order_lines__valued') }}
    where customer_id is not null
),

products as (
    select * from {{ ref('int_products__united') }}
),

counted_orders as (

    select
        settings.as_of_date,
        settings.look_back_after,
        settings.after_12m,
        orders.customer_id,
        orders.order_id,
        orders.order_date
    from settings
    inner join orders
        on
            settings.as_of_date >= orders.order_date
            and (orders.voided_on is null or orders.voided_on > settings.as_of_date)

),

order_measures as (

    select
        as_of_date,
        customer_id,
        min(order_date) as first_order_date,
        max(order_date) as last_order_date,
        count(*) as orders_to_date,
        count(*) filter (where order_date > look_back_after) as frequency,
        count(*) filter (where order_date > after_12m) as orders_12m
    from counted_orders
    group by as_of_date, customer_id

),

money_measures as (

    select
        settings.as_of_date,
        ledger.customer_id,
        sum(ledger.net_amount) filter (
            where ledger.ledger_date > settings.look_back_after
        ) as monetary,
        sum(ledger.net_amount) filter (
            where ledger.ledger_date > settings.after_12m
        ) as net_revenue_12m,
        sum(ledger.net_amount) filter (
            where
            ledger.ledger_date > settings.after_12m
            and ledger.cost_amount is not null
        ) as covered_revenue_12m,
        sum(ledger.cost_amount) filter (
            where ledger.ledger_date > settings.after_12m
        ) as cost_12m
    from settings
    inner join ledger
        on settings.as_of_date >= ledger.ledger_date
    group by settings.as_of_date, ledger.customer_id

),

category_measures as (

    select
        counted_orders.as_of_date,
        counted_orders.customer_id,
        count(*) as product_line_count,
        count(distinct products.category) as category_count
    from counted_orders
    inner join order_lines
        on counted_orders.order_id = order_lines.order_id
    left join products
        on order_lines.product_id = products.product_id
    where
        counted_orders.order_date > counted_orders.after_12m
        and order_lines.quantity > 0
    group by counted_orders.as_of_date, counted_orders.customer_id

),

measures as (

    select
        customers.as_of_date,
        customers.is_newest,
        customers.source,
        customers.customer_id,
        order_measures.first_order_date,
        order_measures.last_order_date,
        {{ dbt.datediff(
            'order_measures.last_order_date', 'customers.as_of_date', 'day'
        ) }} as recency_days,
        coalesce(order_measures.orders_to_date, 0) as orders_to_date,
        coalesce(order_measures.frequency, 0) as frequency,
        coalesce(order_measures.orders_12m, 0) as orders_12m,
        cast(coalesce(money_measures.monetary, 0) as decimal(18, 2)) as monetary,
        cast(coalesce(money_measures.net_revenue_12m, 0) as decimal(18, 2))
            as net_revenue_12m,
        cast(coalesce(money_measures.covered_revenue_12m, 0) as decimal(18, 2))
            as covered_revenue_12m,
        -- No line with a cost in the window: no margin, which is not a margin of zero.
        cast(
            money_measures.covered_revenue_12m - money_measures.cost_12m
            as decimal(18, 2)
        ) as margin_12m,
        case
            when category_measures.category_count = 0 then null
            else coalesce(category_measures.category_count, 0)
        end as category_count_12m
    from customers
    left join order_measures
        on
            customers.as_of_date = order_measures.as_of_date
            and customers.customer_id = order_measures.customer_id
    left join money_measures
        on
            customers.as_of_date = money_measures.as_of_date
            and customers.customer_id = money_measures.customer_id
    left join category_measures
        on
            customers.as_of_date = category_measures.as_of_date
            and customers.customer_id = category_measures.customer_id

)

select * from measures
