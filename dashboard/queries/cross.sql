-- One row per pair of codes of two dimensions.
select
    {column} as code,
    {other} as other_code,
    count(*) as customers,
    coalesce(sum(net_revenue_12m), 0) as net_revenue_12m
from {population}
where {column} is not null and {other} is not null
group by all
