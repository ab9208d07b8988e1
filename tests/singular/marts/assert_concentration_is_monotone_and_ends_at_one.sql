-- More customers never bring less, the best p percent bring at least p percent, and all of
-- them bring everything.
with

revenue_concentration as (
    select * from {{ ref('revenue_concentration') }}
),

neighbours as (

    select
        percentile,
        customers,
        revenue_share,
        margin_share,
        lag(customers) over best_first as fewer_customers,
        lag(revenue_share) over best_first as smaller_revenue_share,
        lag(margin_share) over best_first as smaller_margin_share,
        count(*) over () as row_count
    from revenue_concentration
    window best_first as (order by percentile asc nulls first)

)

select percentile
from neighbours
where
    row_count <> 100
    or customers < fewer_customers
    or revenue_share < smaller_revenue_share
    or margin_share < smaller_margin_share
    -- In doubles a share may miss its whole percent by less than this.
    or revenue_share < percentile / 100.0 - 0.000000001
    or margin_share < percentile / 100.0 - 0.000000001
    or (percentile = 100 and abs(revenue_share - 1) > 0.000000001)
    or (percentile = 100 and abs(margin_share - 1) > 0.000000001)
