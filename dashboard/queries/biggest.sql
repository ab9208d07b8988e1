select customer_id, final_segment, value_tier, lifecycle_stage, net_revenue_12m
from {population}
order by net_revenue_12m desc nulls last, customer_id
limit $most
