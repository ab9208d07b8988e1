-- Every order's net amount is the sum of its lines', and every line belongs to an
-- order.
with

orders as (
    select * from {{ ref('int_orders__valued') }}
),

lines_of_orders as (

    select
        order_id,
        sum(net_amount) as net_amount,
        count(*) as line_count
    from {{ ref('int_order_lines__valued') }}
    group by order_id

)

select coalesce(orders.order_id, lines_of_orders.order_id) as order_id
from orders
full outer join lines_of_orders
    on orders.order_id = lines_of_orders.order_id
where
    orders.order_id is null
    or orders.net_amount <> coalesce(lines_of_orders.net_amount, 0)
    or orders.line_count <> coalesce(lines_of_orders.line_count, 0)
