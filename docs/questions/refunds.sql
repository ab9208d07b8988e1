-- How much was paid back, when?
select
    cast(date_trunc('month', refund_date) as date) as refund_month,
    count(*) as refunds,
    sum(refund_amount) as refund_amount
from facts.refunds
group by refund_month
order by refund_month desc
limit 12;

-- How many credit notes have no order?
-- All of them: what has an order is a refund.
select
    refund_type,
    count(*) as refunds,
    count(*) filter (where order_id is null) as without_order,
    sum(refund_amount) as refund_amount
from facts.refunds
group by refund_type
order by refund_type;
