-- Grain: one row per customer at the newest as-of; the wide table that BI starts from.
with

segments as (
    select * from {{ ref('int_customers__segments') }}
    where is_newest
),

current_segments as (

    select
        as_of_date,
        customer_id,
        source,
        cast(recency_days as bigint) as recency_days,
        cast(frequency as bigint) as frequency,
        monetary,
        r_score,
        f_score,
        m_score,
        rfm_code,
        rfm_segment,
        headline_segment,
        cast(orders_to_date as bigint) as orders_to_date,
        cast(orders_12m as bigint) as orders_12m,
        net_revenue_12m,
        margin_12m,
        margin_rate_12m,
        average_order_value_12m,
        spend_band,
        frequency_band,
        margin_band,
        value_tier,
        has_conflicting_bands,
        abc_class,
        order_value_group
    from segments

)

select * from current_segments
