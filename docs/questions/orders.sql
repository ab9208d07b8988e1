-- What did each order bring net and as margin?
-- `margin_amount` is of the lines whose cost is known.
select
    order_id,
    order_date,
    customer_id,
    channel,
    net_amount,
    margin_amount
from facts.orders
order by order_date desc, net_amount desc, order_id asc
limit 20;

-- Which orders were voided by refunds?
-- From `voided_on` on no count of orders has them; the ledger keeps lines and refunds.
select
    order_id,
    order_date,
    voided_on,
    customer_id,
    net_amount
from facts.orders
where voided_on is not null
order by voided_on desc, order_id asc
limit 20;
