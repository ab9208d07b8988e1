select customer_id, final_segment, value_tier, lifecycle_stage, net_revenue_12m
from marts.main.customer_segments
where
    customer_id = $id
    or starts_with(customer_id, $id)
    or starts_with(customer_id, source || ':' || $id)
order by customer_id <> $id, length(customer_id), customer_id
limit $most
