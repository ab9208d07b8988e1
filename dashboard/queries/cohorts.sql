select cohort_month, months_since, customers, retention_rate, net_revenue, is_complete
from marts.main.cohort_retention
where cohort_month > (
    select (max(cohort_month) - interval 24 month)::date from marts.main.cohort_retention
)
order by cohort_month, months_since
