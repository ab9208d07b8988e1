-- One row per recency and frequency score.
select
    substr(rfm_code, 1, 1)::int as r_score,
    substr(rfm_code, 2, 1)::int as f_score,
    count(*) as customers,
    sum(net_revenue_12m) as net_revenue_12m,
    avg(substr(rfm_code, 3, 1)::int) as m_score
from {population}
where rfm_code is not null
group by all
order by r_score, f_score
