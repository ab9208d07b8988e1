-- Grain: one row per customer at the newest as-of.
with

clusters as (
    select * from {{ ref('int_customers__clusters') }}
    where is_newest
),

current_clusters as (

    select
        as_of_date,
        customer_id,
        cluster_name,
        cast(cluster_rank as int) as cluster_rank,
        distance,
        next_distance
    from clusters

)

select * from current_clusters
