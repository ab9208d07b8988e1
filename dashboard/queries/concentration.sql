select percentile, customers, revenue_share, margin_share, clipped_amount
from marts.main.revenue_concentration
order by percentile
