select
    from_segment,
    to_segment,
    cause,
    customers,
    opening_net_revenue_12m,
    closing_net_revenue_12m
from history.main.segment_migrations
where dimension = $dimension and as_of_date = $day
