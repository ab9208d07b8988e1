-- Grain: one row per line of an accepted order, its net amount and cost in base currency.
-- This is where money is rounded, once; every other amount of the warehouse is a sum of these
-- cents and of the refunds' cents.
with

order_lines as (
    {{ union_sources('order_lines', [
        'order_id', 'line_number', 'product_id', 'quantity', 'unit_price', 'discount_amount',
        'unit_cost', 'rejection_reason'
    ]) }}
),

orders as (
    select * from {{ ref('int_orders__united') }}
    where {{ is_touched('order_id', ref('int_orders__touched')) }}
),

products as (
    {{ union_sources('products', ['product_id', 'unit_cost']) }}
),

fact_settings as (
    select * from {{ ref('stg_rules__fact_settings') }}
),

-- Few orders have a discount of their own: only their lines are looked at twice.
discounted_orders as (
    select * from {{ ref('int_orders__united') }}
    where
        discount_amount <> 0
        and {{ is_touched('order_id', ref('int_orders__touched')) }}
),

discounted_lines as (
    {{ union_sources('order_lines', [
        'order_id', 'line_number', 'quantity', 'unit_price', 'discount_amount',
        'rejection_reason'
    ]) }}
),

sharing_lines as (

    select
        discounted_lines.order_id,
        discounted_lines.line_number,
        discounted_orders.discount_amount,
        -- Return lines take no part: with them the shares of an order that nets to little would
        -- grow without bound.
        greatest({{ line_amount('discounted_lines') }}, 0) as sharing_amount
    from discounted_lines
    inner join discounted_orders
        on discounted_lines.order_id = discounted_orders.order_id
    where discounted_lines.rejection_reason is null

),

order_discount_shares as (

    select
        order_id,
        line_number,
        -- The share is a ratio, so it is computed in doubles, and rounded as a whole number of
        -- hundred-millionths: that gives exact cents back, alike on every engine.
        cast(
            cast(
                round(
                    cast(discount_amount as double)
                    * cast(sharing_amount as double)
                    / nullif(
                        cast(
                            sum(sharing_amount) over (partition by order_id) as double
                        ), 0
                    )
                    * 100000000
                ) as bigint
            ) * cast(0.00000001 as decimal(9, 8)) as decimal(25, 10)
        ) as order_discount_share
    from sharing_lines

),

priced_lines as (

    select
        order_lines.source,
        order_lines.order_id,
        order_lines.line_number,
        order_lines.product_id,
        order_lines.quantity,
        order_lines.unit_price,
        order_lines.discount_amount,
        order_lines.unit_cost,
        orders.customer_id,
        orders.order_date,
        orders.exchange_rate,
        -- A product's cost that makes an absurd amount is a typing error: the line's is unknown.
        case
            when
                abs(
                    cast(order_lines.quantity as double)
                    * cast(products.unit_cost as double)
                ) <= cast(fact_settings.largest_line_amount as double)
                then products.unit_cost
        end as product_unit_cost,
        {{ line_amount('order_lines') }} as line_amount,
        coalesce(order_discount_shares.order_discount_share, 0) as order_discount_share
    from order_lines
    inner join orders
        on order_lines.order_id = orders.order_id
    cross join fact_settings
    left join products
        on order_lines.product_id = products.product_id
    left join order_discount_shares
        on
            order_lines.order_id = order_discount_shares.order_id
            and order_lines.line_number = order_discount_shares.line_number
    where
        order_lines.rejection_reason is null
        and {{ is_touched('order_lines.order_id', ref('int_orders__touched')) }}

),

valued_lines as (

    select
        source,
        order_id,
        line_number,
        customer_id,
        order_date,
        product_id,
        quantity,
        unit_price,
        {{ round_money(
            'cast(discount_amount + order_discount_share as decimal(25, 12))', 'exchange_rate'
        ) }} as discount_amount,
        {{ round_money(
            'cast(line_amount - order_discount_share as decimal(25, 12))', 'exchange_rate'
        ) }} as net_amount,
        case
            when unit_cost is not null
                then
                    {{ round_money(
                        'cast(quantity as decimal(19, 6)) * unit_cost', 'exchange_rate'
                    ) }}
            when product_unit_cost is not null
                then
                    {{ round_money(
                        'cast(quantity as decimal(19, 6)) * product_unit_cost'
                    ) }}
        end as cost_amount
    from priced_lines

)

select * from valued_lines
