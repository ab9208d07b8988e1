-- No buyer with a better recency, frequency or monetary has a lower score for it, and
-- equal values share a score: every value under one score is better than every value
-- under a lower one.
with

buyers as (
    select * from {{ ref('int_customers__rfm') }}
    where frequency > 0 and rfm_code is not null
),

ranges_of_scores as (

    select
        as_of_date,
        'recency' as measure,
        r_score as score,
        min(-recency_days) as worst_value,
        max(-recency_days) as best_value
    from buyers
    group by as_of_date, r_score

    union all

    select
        as_of_date,
        'frequency' as measure,
        f_score as score,
        min(frequency) as worst_value,
        max(frequency) as best_value
    from buyers
    group by as_of_date, f_score

    union all

    select
        as_of_date,
        'monetary' as measure,
        m_score as score,
        min(monetary) as worst_value,
        max(monetary) as best_value
    from buyers
    group by as_of_date, m_score

)

select
    higher.as_of_date,
    higher.measure,
    higher.score,
    lower_ranges.score as lower_score
from ranges_of_scores as higher
inner join ranges_of_scores as lower_ranges
    on
        higher.as_of_date = lower_ranges.as_of_date
        and higher.measure = lower_ranges.measure
        and higher.score > lower_ranges.score
where higher.worst_value <= lower_ranges.best_value
