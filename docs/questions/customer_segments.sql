-- Who are our champions, and what did they spend?
-- The last two columns are of all champions, not only of those listed.
select
    customer_id,
    orders_12m,
    net_revenue_12m,
    recency_days,
    count(*) over () as champions,
    sum(net_revenue_12m) over () as champions_net_revenue_12m
from customer_segments
where rfm_segment = 'champions'
order by net_revenue_12m desc, customer_id asc
limit 20;

-- Which customers of high spend have conflicting bands?
-- One band is high and another low: much money, but seldom or at hardly any margin.
select
    customer_id,
    net_revenue_12m,
    orders_12m,
    frequency_band,
    round(margin_rate_12m, 3) as margin_rate_12m,
    margin_band,
    value_tier
from customer_segments
where spend_band = 'high' and has_conflicting_bands
order by net_revenue_12m desc, customer_id asc
limit 20;
