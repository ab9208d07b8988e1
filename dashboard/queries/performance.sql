select
    as_of_date, closes_on, customers, returning_customers, return_rate, lapse_rate,
    net_revenue_next_3m, revenue_per_customer_next_3m
from marts.main.segment_performance
where dimension = $dimension and segment = $code
order by as_of_date
