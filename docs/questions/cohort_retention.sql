-- Of those who first bought in December, how many bought again three months later?
-- In March, that is; an unfinished month is left out.
select
    cohort_month,
    customers,
    active_customers,
    round(retention_rate, 3) as retention_rate
from cohort_retention
where
    month(cohort_month) = 12
    and months_since = 3
    and is_complete
order by cohort_month desc;

-- Do newer cohorts keep spending as the older ones did?
-- What a customer brought in the six months after that of the first order, in cohorts that
-- have these months behind them.
select
    cohort_month,
    max(customers) as customers,
    cast(sum(net_revenue) / max(customers) as decimal(18, 2))
        as net_revenue_per_customer,
    round(avg(retention_rate), 3) as mean_retention_rate
from cohort_retention
where months_since between 1 and 6 and is_complete
group by cohort_month
having count(*) = 6
order by cohort_month desc
limit 20;
