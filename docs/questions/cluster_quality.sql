-- Do clusters fitted to half of the buyers come out the same (M2: 85%)?
-- `halves_agreement` is the share of buyers on whom clusters of two random halves agree. It
-- measures that they repeat, not that they are true; the silhouette (-1 to 1) says how far
-- they stand apart.
select
    source,
    measure,
    round(value, 4) as value,
    minimum,
    is_met
from cluster_quality
where cluster_rank = 0 and measure in ('halves_agreement', 'silhouette')
order by source, measure;

-- How often and for how much does a typical customer of each cluster buy?
select
    source,
    cluster_rank,
    cluster_name,
    max(value) filter (where measure = 'customers') as customers,
    round(max(value) filter (where measure = 'typical_frequency'), 1)
        as typical_orders,
    cast(
        max(value) filter (where measure = 'typical_monetary') as decimal(18, 2)
    ) as typical_net_revenue,
    round(max(value) filter (where measure = 'typical_recency'), 0)
        as typical_recency_days
from cluster_quality
where cluster_rank > 0
group by source, cluster_rank, cluster_name
order by source, cluster_rank;
