-- Which groups are there in the data themselves, without any rule?
-- Clusters among the buyers of each source, richest first.
select
    customer_segments.source,
    customer_clusters.cluster_rank,
    segment_labels.label_en as cluster,
    segment_labels.label_zh as cluster_zh,
    count(*) as customers,
    median(customer_segments.recency_days) as usual_recency_days,
    median(customer_segments.frequency) as usual_orders,
    median(customer_segments.monetary) as usual_net_revenue
from customer_clusters
inner join customer_segments
    on customer_clusters.customer_id = customer_segments.customer_id
inner join segment_labels
    on
        segment_labels.dimension = 'cluster_name'
        and customer_clusters.cluster_name = segment_labels.code
where customer_clusters.cluster_rank is not null
group by
    customer_segments.source,
    customer_clusters.cluster_rank,
    segment_labels.label_en,
    segment_labels.label_zh
order by customer_segments.source, customer_clusters.cluster_rank;

-- Who lies between two of them?
-- As far from the middle of its own cluster as from that of the next, or nearly.
select
    customer_id,
    cluster_name,
    round(distance, 3) as distance,
    round(next_distance, 3) as next_distance,
    round(distance / next_distance, 3) as nearness_to_both
from customer_clusters
where next_distance > 0
order by distance / next_distance desc, customer_id
limit 20;
