-- How fresh, frequent and big is each customer?
select
    customer_id,
    recency_days,
    frequency,
    monetary,
    rfm_code,
    rfm_segment
from customer_rfm
order by monetary desc, customer_id asc
limit 20;

-- Who scores 5 on money but 1 on recency?
-- They spent much and have not been seen for long: worth a call.
select
    customer_id,
    recency_days,
    frequency,
    monetary,
    rfm_code,
    rfm_segment
from customer_rfm
where m_score = 5 and r_score = 1
order by monetary desc, customer_id asc
limit 20;
