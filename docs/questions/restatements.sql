-- Which reported month-ends were changed later, and why?
select
    as_of_date,
    last_delivery_id,
    reason
from history.restatements
order by as_of_date desc, last_delivery_id desc
limit 20;

-- How many customers and how much revenue did it change?
select
    as_of_date,
    last_delivery_id,
    customers_changed,
    customers_after - customers_before as customers_more,
    net_revenue_12m_after - net_revenue_12m_before as net_revenue_12m_more
from history.restatements
order by as_of_date desc, last_delivery_id desc
limit 20;
