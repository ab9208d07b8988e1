select
    as_of_date, reason, customers_changed, net_revenue_12m_before, net_revenue_12m_after
from history.main.restatements
order by as_of_date desc
