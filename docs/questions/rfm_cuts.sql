-- From which spend on did a customer score 5 a year ago?
select
    as_of_date,
    lower_bound as net_revenue_from,
    customers,
    rfm_method
from history.rfm_cuts
where
    dimension = 'm_score'
    and score = 5
    and as_of_date <= (
        select max(customer_segments.as_of_date) - interval 1 year
        from customer_segments
    )
order by as_of_date desc
limit 1;

-- How did the cuts move?
-- What it took to score 5 at each of the last month-ends: days since the last order below
-- the first, orders and net revenue from the others on.
select
    as_of_date,
    cast(max(upper_bound) filter (where dimension = 'r_score') as integer)
        as recency_days_below,
    cast(max(lower_bound) filter (where dimension = 'f_score') as integer)
        as orders_from,
    max(lower_bound) filter (where dimension = 'm_score') as net_revenue_from
from history.rfm_cuts
where score = 5
group by as_of_date
order by as_of_date desc
limit 13;
