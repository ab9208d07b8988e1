select changed_on, dimension, from_segment, to_segment, customers, net_revenue_12m
from marts.main.rule_impact
order by dimension, customers desc
