-- What share of revenue do our best 20% bring?
select
    as_of_date,
    customers as best_customers,
    round(revenue_share, 4) as revenue_share
from revenue_concentration
where percentile = 20;

-- Is margin more concentrated than revenue?
select
    percentile as best_percent,
    customers,
    round(revenue_share, 4) as revenue_share,
    round(margin_share, 4) as margin_share,
    margin_share > revenue_share as is_margin_more_concentrated
from revenue_concentration
where percentile in (1, 5, 10, 20, 50)
order by percentile;
