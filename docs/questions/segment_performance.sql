-- Did the champions of March buy again in the next 91 days?
select
    as_of_date,
    closes_on,
    customers as champions,
    returning_customers,
    round(return_rate, 3) as return_rate,
    orders_next_3m,
    net_revenue_next_3m
from segment_performance
where
    dimension = 'rfm_segment'
    and segment = 'champions'
    and month(as_of_date) = 3
order by as_of_date desc;

-- How much did each tier bring then?
-- In the 91 days after the newest March that has them behind it.
select
    segment_performance.as_of_date,
    segment_labels.label_en as tier,
    segment_labels.label_zh as tier_zh,
    segment_performance.customers,
    segment_performance.net_revenue_next_3m,
    segment_performance.revenue_per_customer_next_3m
from segment_performance
inner join segment_labels
    on
        segment_performance.dimension = segment_labels.dimension
        and segment_performance.segment = segment_labels.code
where
    segment_performance.dimension = 'value_tier'
    and month(segment_performance.as_of_date) = 3
qualify
    segment_performance.as_of_date = max(segment_performance.as_of_date) over ()
order by segment_labels.sort_order;
