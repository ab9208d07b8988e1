-- Where do our customers live?
select
    country,
    region,
    count(*) as customers,
    round(count(*) / sum(count(*)) over (), 3) as share
from facts.customers
group by country, region
order by customers desc, country asc, region asc
limit 20;

-- When was each one activated?
select
    customer_id,
    activated_at,
    first_order_date,
    acquisition_channel
from facts.customers
where activated_at is not null
order by activated_at desc, customer_id asc
limit 20;
