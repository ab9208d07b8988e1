-- Grain: one row per as-of date and customer, its RFM scores and segments.
-- Ranks are counts of customers, so equal values share a score and a better value never scores
-- lower; `ntile` would cut a tie in two.
with

measures as (
    select * from {{ ref('int_customers__measures') }}
),

settings as (
    select * from {{ ref('int_settings__by_as_of') }}
),

bands as (
    select * from {{ ref('int_bands__by_as_of') }}
),

rfm_map as (
    select * from {{ ref('rfm_map') }}
),

placed_buyers as (

    select
        measures.as_of_date,
        measures.customer_id,
        measures.recency_days,
        measures.frequency,
        measures.monetary,
        settings.rfm_method,
        settings.minimum_buyers_to_rank
    from measures
    inner join settings
        on measures.as_of_date = settings.as_of_date
    where measures.frequency > 0

),

-- Buyers are counted by value, not ranked one by one: there are few different values of days and
-- orders, and a window over all buyers of all as-ofs takes more memory than all else.
{% for measure in ['recency_days', 'frequency', 'monetary'] %}
{{ measure }}_ranks as (

    select
        as_of_date,
        {{ measure }},
        sum(count(*)) over (
            partition by as_of_date
            order by {{ measure }} asc nulls first
            rows between unbounded preceding and current row
        ) - count(*) as buyers_below,
        sum(count(*)) over (partition by as_of_date) as buyer_count
    from placed_buyers
    group by as_of_date, {{ measure }}

),
{% endfor %}

buyers as (

    select
        placed_buyers.as_of_date,
        placed_buyers.customer_id,
        placed_buyers.recency_days,
        placed_buyers.frequency,
        placed_buyers.monetary,
        placed_buyers.rfm_method,
        placed_buyers.minimum_buyers_to_rank,
        cast(recency_days_ranks.buyer_count as bigint) as buyer_count,
        cast(recency_days_ranks.buyers_below as bigint) as fresher_buyers,
        cast(frequency_ranks.buyers_below as bigint) as rarer_buyers,
        cast(monetary_ranks.buyers_below as bigint) as smaller_buyers
    from placed_buyers
    {% for measure in ['recency_days', 'frequency', 'monetary'] %}
    inner join {{ measure }}_ranks
        on
            placed_buyers.as_of_date = {{ measure }}_ranks.as_of_date
            and placed_buyers.{{ measure }} = {{ measure }}_ranks.{{ measure }}
    {% endfor %}

),

quantile_scores as (

    select
        as_of_date,
        customer_id,
        -- ceil(5 x share with the same or a greater recency)
        {{ integer_quotient(
            '5 * (buyer_count - fresher_buyers) + buyer_count - 1', 'buyer_count'
        ) }} as r_score,
        -- 1 + floor(5 x share strictly below)
        1 + {{ integer_quotient('5 * rarer_buyers', 'buyer_count') }} as f_score,
        1 + {{ integer_quotient('5 * smaller_buyers', 'buyer_count') }} as m_score
    from buyers
    where rfm_method = 'quantile' and buyer_count >= minimum_buyers_to_rank

),

threshold_scores as (

    select
        buyers.as_of_date,
        buyers.customer_id,
        cast(r_bands.code as bigint) as r_score,
        cast(f_bands.code as bigint) as f_score,
        cast(m_bands.code as bigint) as m_score
    from buyers
    inner join bands as r_bands
        on {{ in_band('buyers', 'recency_days', 'r_bands', 'r_score') }}
    inner join bands as f_bands
        on {{ in_band('buyers', 'frequency', 'f_bands', 'f_score') }}
    inner join bands as m_bands
        on {{ in_band('buyers', 'monetary', 'm_bands', 'm_score') }}
    where buyers.rfm_method = 'threshold'

),

-- Whoever ordered, but not within the look-back, is last on all three without being ranked.
former_buyers as (

    select
        as_of_date,
        customer_id,
        cast(1 as bigint) as r_score,
        cast(1 as bigint) as f_score,
        cast(1 as bigint) as m_score
    from measures
    where frequency = 0 and orders_to_date > 0

),

scores as (

    select * from quantile_scores
    union all
    select * from threshold_scores
    union all
    select * from former_buyers

),

scored_customers as (

    select
        measures.as_of_date,
        measures.is_newest,
        measures.customer_id,
        measures.recency_days,
        measures.frequency,
        measures.monetary,
        measures.orders_to_date,
        cast(scores.r_score as int) as r_score,
        cast(scores.f_score as int) as f_score,
        cast(scores.m_score as int) as m_score,
        cast(scores.r_score as {{ dbt.type_string() }})
        || cast(scores.f_score as {{ dbt.type_string() }})
        || cast(scores.m_score as {{ dbt.type_string() }}) as rfm_code
    from measures
    left join scores
        on
            measures.as_of_date = scores.as_of_date
            and measures.customer_id = scores.customer_id

),

segmented_customers as (

    select
        scored_customers.as_of_date,
        scored_customers.is_newest,
        scored_customers.customer_id,
        scored_customers.recency_days,
        scored_customers.frequency,
        scored_customers.monetary,
        scored_customers.r_score,
        scored_customers.f_score,
        scored_customers.m_score,
        scored_customers.rfm_code,
        case
            when scored_customers.orders_to_date = 0 then 'prospect'
            when scored_customers.rfm_code is null then 'insufficient_evidence'
            else rfm_map.rfm_segment
        end as rfm_segment,
        case
            when scored_customers.orders_to_date = 0 then 'prospect'
            when scored_customers.rfm_code is null then 'insufficient_evidence'
            else rfm_map.headline_segment
        end as headline_segment
    from scored_customers
    left join rfm_map
        on scored_customers.rfm_code = rfm_map.rfm_code

)

select * from segmented_customers
