-- What sold, at what net price?
-- The twenty products with most net revenue, returns deducted, before refunds.
select
    order_lines.product_id,
    products.product_name,
    sum(order_lines.quantity) as quantity,
    sum(order_lines.net_amount) as net_amount,
    cast(sum(order_lines.net_amount) / sum(order_lines.quantity) as decimal(18, 2))
        as net_price
from facts.order_lines
left join facts.products
    on order_lines.product_id = products.product_id
group by order_lines.product_id, products.product_name
having sum(order_lines.quantity) > 0
order by net_amount desc, order_lines.product_id asc
limit 20;

-- What did it cost?
-- Margin over the lines whose cost is known.
select
    order_lines.product_id,
    products.product_name,
    sum(order_lines.cost_amount) as cost_amount,
    sum(order_lines.net_amount - order_lines.cost_amount) as margin_amount,
    count(*) - count(order_lines.cost_amount) as lines_without_cost
from facts.order_lines
left join facts.products
    on order_lines.product_id = products.product_id
group by order_lines.product_id, products.product_name
order by sum(order_lines.net_amount) desc, order_lines.product_id
limit 20;
