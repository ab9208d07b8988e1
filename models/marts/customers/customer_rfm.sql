-- Grain: one row per customer at the newest as-of.
with

rfm as (
    select * from {{ ref('int_customers__rfm') }}
    where is_newest
),

current_rfm as (

    select
        as_of_date,
        customer_id,
        cast(recency_days as bigint) as recency_days,
        cast(frequency as bigint) as frequency,
        monetary,
        r_score,
        f_score,
        m_score,
        rfm_code,
        rfm_segment,
        headline_segment
    from rfm

)

select * from current_rfm
