-- Grain: one row per source, cluster and measure at the newest as-of; cluster 0 is all of the fit.
{% set measures = ['recency', 'frequency', 'monetary', 'interactions'] %}
with

clusters as (
    select * from {{ ref('int_customers__clusters') }}
    where is_newest and cluster_rank is not null
),

figures as (

    select figures.*
    from {{ ref('int_customers__clusters_fitted') }} as figures
    inner join {{ ref('int_as_of_dates') }} as as_of_dates
        on figures.as_of_date = as_of_dates.as_of_date
    where as_of_dates.is_newest

),

settings as (
    select * from {{ ref('int_settings__by_as_of') }}
),

cluster_sizes as (

    select
        as_of_date,
        source,
        cluster_rank,
        cluster_name,
        cast(count(*) as double) as customers
    from clusters
    group by as_of_date, source, cluster_rank, cluster_name

),

-- Where the middle of a cluster lies, in days, orders, money and interactions.
middles as (
    {% for measure in measures %}
    select
        centroids.as_of_date,
        centroids.source,
        centroids.cluster_rank,
        centroids.cluster_name,
        'typical_{{ measure }}' as measure,
        exp(centroids.value * deviations.value + means.value) - 1 as value
    from figures as centroids
    inner join figures as means
        on
            centroids.source = means.source
            and means.measure = 'mean_{{ measure }}'
    inner join figures as deviations
        on
            centroids.source = deviations.source
            and deviations.measure = 'deviation_{{ measure }}'
    where centroids.measure = 'centroid_{{ measure }}'
    {% if not loop.last %}
    union all
    {% endif %}
    {% endfor %}
),

judged as (

    select
        as_of_date,
        source,
        cluster_rank,
        cluster_name,
        measure,
        value
    from figures
    where
        measure not like 'mean_%'
        and measure not like 'deviation_%'
        and measure not like 'centroid_%'
    union all
    select * from middles
    union all
    select
        as_of_date,
        source,
        cluster_rank,
        cluster_name,
        'customers' as measure,
        customers as value
    from cluster_sizes

),

with_promises as (

    select
        judged.source || ':' || cast(judged.cluster_rank as {{ dbt.type_string() }})
        || ':' || judged.measure as cluster_quality_id,
        judged.as_of_date,
        judged.source,
        cast(judged.cluster_rank as int) as cluster_rank,
        judged.cluster_name,
        judged.measure,
        judged.value,
        cast(
            case judged.measure
                when 'clusters' then settings.minimum_clusters
                when 'halves_agreement' then settings.minimum_cluster_agreement
            end as double
        ) as minimum,
        cast(
            case judged.measure when 'clusters' then settings.maximum_clusters end
            as double
        ) as maximum
    from judged
    inner join settings
        on judged.as_of_date = settings.as_of_date

),

cluster_quality as (

    select
        *,
        -- No promise, or nothing to keep it with: not measured, which is not missed.
        case
            when minimum is not null and value > 0
                then value >= minimum and value <= coalesce(maximum, value)
        end as is_met
    from with_promises

)

select * from cluster_quality
