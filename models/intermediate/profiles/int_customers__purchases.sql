-- Grain: one row per customer and category, kind and price tier that it bought of in 12 months.
-- Of the lines of orders that count at the newest as-of, less what refunds took back from them; every
-- share and rank of the portrait that looks at lines is a sum of these rows.
with

settings as (

    select settings.*
    from {{ ref('int_settings__by_as_of') }} as settings
    inner join {{ ref('int_as_of_dates') }} as as_of_dates
        on settings.as_of_date = as_of_dates.as_of_date
    where as_of_dates.is_newest

),

order_lines as (
    select * from {{ ref('int_order_lines__valued') }}
    where customer_id is not null
),

allocated_refunds as (
    select * from {{ ref('int_refunds__allocated') }}
),

-- Few orders are voided or count for nothing: cheaper than all orders.
excepted_orders as (
    select * from {{ ref('int_orders__valued') }}
    where not is_countable or voided_on is not null
),

products as (
    select * from {{ ref('int_products__united') }}
),

counted_lines as (

    select
        order_lines.customer_id,
        order_lines.order_id,
        order_lines.line_number,
        order_lines.product_id,
        order_lines.net_amount,
        -- A return line takes money back and is nothing bought.
        case when order_lines.quantity > 0 then 1 else 0 end as line_count
    from order_lines
    inner join settings
        on
            order_lines.order_date > settings.after_12m
            and order_lines.order_date <= settings.as_of_date
    left join excepted_orders
        on
            order_lines.order_id = excepted_orders.order_id
            and (
                not excepted_orders.is_countable
                or excepted_orders.voided_on <= settings.as_of_date
            )
    where excepted_orders.order_id is null

),

lines_and_refunds as (

    select
        customer_id,
        product_id,
        net_amount,
        line_count
    from counted_lines

    union all

    select
        counted_lines.customer_id,
        counted_lines.product_id,
        cast(-allocated_refunds.line_refund_amount as decimal(18, 2)) as net_amount,
        0 as line_count
    from counted_lines
    inner join allocated_refunds
        on
            counted_lines.order_id = allocated_refunds.order_id
            and counted_lines.line_number = allocated_refunds.line_number
    inner join settings
        on allocated_refunds.refund_date <= settings.as_of_date

),

purchases as (

    select
        lines_and_refunds.customer_id,
        coalesce(products.category, '') as category,
        coalesce(products.product_kind, '') as product_kind,
        coalesce(products.price_tier, '') as price_tier,
        cast(sum(lines_and_refunds.net_amount) as decimal(18, 2)) as net_revenue,
        cast(sum(lines_and_refunds.line_count) as bigint) as line_count
    from lines_and_refunds
    left join products
        on lines_and_refunds.product_id = products.product_id
    group by
        lines_and_refunds.customer_id,
        coalesce(products.category, ''),
        coalesce(products.product_kind, ''),
        coalesce(products.price_tier, '')

)

select * from purchases
