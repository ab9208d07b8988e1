select as_of_date, final_segment, value_tier, lifecycle_stage, rfm_code, net_revenue_12m
from history.main.customer_segments_history
where customer_id = $id
union all
select as_of_date, final_segment, value_tier, lifecycle_stage, rfm_code, net_revenue_12m
from marts.main.customer_segments
where customer_id = $id
order by as_of_date desc
