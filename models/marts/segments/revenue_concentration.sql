-- Grain: one row per percentile 1 to 100 of the buyers of 12 months at the newest as-of.
-- A measured fact, never a rule: that the best 20% bring 80% (V4) is asserted nowhere.
with

concentration as (
    select * from {{ ref('int_customers__concentration') }}
),

shared_concentration as (

    select
        *,
        -- In whole cents, so that all of them are exactly 1.
        cast(top_amount * 100 as double) / nullif(cast(total_amount * 100 as double), 0)
            as share
    from concentration

),

revenue_concentration as (

    select
        as_of_date,
        cast(percentile as int) as percentile,
        cast(max(customers) as bigint) as customers,
        max(share) filter (where measure = 'net_revenue_12m') as revenue_share,
        max(share) filter (where measure = 'margin_12m') as margin_share,
        cast(
            max(clipped_amount) filter (where measure = 'net_revenue_12m')
            as decimal(18, 2)
        ) as clipped_amount,
        cast(
            max(clipped_amount) filter (where measure = 'margin_12m') as decimal(18, 2)
        ) as clipped_margin_amount
    from shared_concentration
    group by as_of_date, percentile

)

select * from revenue_concentration
