-- Grain: one row per as-of date and customer, its cluster: the nearest centroid of its source's fit.
-- Fits are read side by side, a row per as-of date and source, so that a customer is compared with
-- up to five centroids (M2) without a row for each. Distances are compared as millionths, so that
-- no engine's last digit decides; of equally near clusters the better one has the customer.
{% set measures = ['recency', 'frequency', 'monetary', 'interactions'] %}
{% set ranks = [1, 2, 3, 4, 5] %}
with

customers as (
    select * from {{ ref('int_customers__cluster_measures') }}
),

figures as (
    select * from {{ ref('int_customers__clusters_fitted') }}
),

fits as (

    select
        {% for rank in ranks %}
        max(cluster_name) filter (where cluster_rank = {{ rank }}) as name_{{ rank }},
        {% for measure in measures %}
        max(value) filter (
            where measure = 'centroid_{{ measure }}' and cluster_rank = {{ rank }}
        ) as {{ measure }}_{{ rank }},
        {% endfor %}
        {% endfor %}
        {% for measure in measures %}
        max(value) filter (where measure = 'mean_{{ measure }}') as {{ measure }}_mean,
        max(value) filter (where measure = 'deviation_{{ measure }}')
            as {{ measure }}_deviation,
        {% endfor %}
        as_of_date,
        source
    from figures
    group by as_of_date, source

),

standardised as (

    select
        {% for measure in measures %}
        (ln(1 + customers.{{ measure }}) - fits.{{ measure }}_mean)
        / nullif(fits.{{ measure }}_deviation, 0) as {{ measure }},
        {% for rank in ranks %}
        fits.{{ measure }}_{{ rank }},
        {% endfor %}
        {% endfor %}
        {% for rank in ranks %}
        fits.name_{{ rank }},
        {% endfor %}
        customers.as_of_date,
        customers.is_newest,
        customers.source,
        customers.customer_id,
        customers.orders_to_date,
        customers.is_buyer
    from customers
    left join fits
        on
            customers.as_of_date = fits.as_of_date
            and customers.source = fits.source
            and customers.is_buyer

),

measured as (

    select
        {% for rank in ranks %}
        -- A source that tells of no interaction has no such centroid.
        cast(
            round(
                1000000 * sqrt(
                    power(recency - recency_{{ rank }}, 2)
                    + power(frequency - frequency_{{ rank }}, 2)
                    + power(monetary - monetary_{{ rank }}, 2)
                    + coalesce(power(interactions - interactions_{{ rank }}, 2), 0)
                )
            ) as bigint
        ) as distance_{{ rank }},
        {% endfor %}
        *
    from standardised

),

ranked as (

    select
        *,
        least(distance_1, distance_2, distance_3, distance_4, distance_5) as nearest,
        case least(distance_1, distance_2, distance_3, distance_4, distance_5)
            {% for rank in ranks %}
            when distance_{{ rank }} then {{ rank }}
            {% endfor %}
        end as cluster_rank
    from measured

),

clusters as (

    select
        as_of_date,
        is_newest,
        source,
        customer_id,
        orders_to_date,
        cluster_rank,
        case
            when orders_to_date = 0 then 'prospect'
            when not is_buyer then 'former_buyer'
            when cluster_rank is null then 'insufficient_evidence'
            {% for rank in ranks %}
            when cluster_rank = {{ rank }} then name_{{ rank }}
            {% endfor %}
        end as cluster_name,
        cast(nearest as double) / 1000000 as distance,
        -- Without its own cluster's distance the nearest is the next one's.
        cast(
            least(
                case when cluster_rank <> 1 then distance_1 end,
                case when cluster_rank <> 2 then distance_2 end,
                case when cluster_rank <> 3 then distance_3 end,
                case when cluster_rank <> 4 then distance_4 end,
                case when cluster_rank <> 5 then distance_5 end
            ) as double
        ) / 1000000 as next_distance
    from ranked

)

select * from clusters
