-- Customers of a segment, those with the most revenue first.
select customer_id, rfm_segment, value_tier, lifecycle_stage, net_revenue_12m, clv_predicted
from {population}
where {column} = $code
order by net_revenue_12m desc nulls last, customer_id
limit $most
