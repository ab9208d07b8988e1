-- Which segment was a customer in a year ago?
-- At the newest month-end that lies a year or more before the newest as-of.
select
    before.customer_id,
    before.as_of_date as year_ago,
    before.final_segment as segment_year_ago,
    customer_segments.as_of_date as today,
    customer_segments.final_segment as segment_today
from history.customer_segments_history as before
inner join customer_segments
    on before.customer_id = customer_segments.customer_id
where
    before.customer_id = 'shop:C0000001'
    and before.as_of_date <= customer_segments.as_of_date - interval 1 year
order by before.as_of_date desc
limit 1;

-- How did revenue by tier develop over 24 months?
-- 12-month net revenue of whoever was in the tier at the month-end. It is of less than 12
-- months where the data do not reach back far enough yet.
select
    as_of_date,
    sum(net_revenue_12m) filter (where value_tier = 'high') as high_value,
    sum(net_revenue_12m) filter (where value_tier = 'mid') as mid_value,
    sum(net_revenue_12m) filter (where value_tier = 'low') as low_value,
    bool_and(is_window_complete) as is_window_complete
from history.customer_segments_history
group by as_of_date
order by as_of_date desc
limit 24;
