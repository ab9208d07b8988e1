-- A buyer placed by the cuts of its as-of gets the scores that it got by rank.
with

buyers as (
    select * from {{ ref('int_customers__rfm') }}
    where frequency > 0 and rfm_code is not null
),

cuts as (
    select * from {{ ref('int_customers__rfm_cuts') }}
)

{% for dimension, measure in [
    ('r_score', 'recency_days'), ('f_score', 'frequency'), ('m_score', 'monetary')
] %}
select
    buyers.as_of_date,
    buyers.customer_id
from buyers
left join cuts
    on
        buyers.as_of_date = cuts.as_of_date
        and cuts.dimension = '{{ dimension }}'
        and (cuts.lower_bound is null or buyers.{{ measure }} >= cuts.lower_bound)
        and (cuts.upper_bound is null or buyers.{{ measure }} < cuts.upper_bound)
group by buyers.as_of_date, buyers.customer_id, buyers.{{ dimension }}
having
    count(cuts.score) <> 1 or max(cuts.score) <> buyers.{{ dimension }}
{% if not loop.last %}
union all
{% endif %}
{% endfor %}
