-- Which segment grew since the last month-end?
select
    segment_labels.label_en as segment,
    segment_labels.label_zh as segment_zh,
    segment_summary.customers,
    segment_summary.customers_change,
    segment_summary.net_revenue_12m,
    segment_summary.net_revenue_12m_change
from segment_summary
inner join segment_labels
    on
        segment_labels.dimension = 'final_segment'
        and segment_summary.segment = segment_labels.code
where segment_summary.customers_change > 0
order by segment_summary.customers_change desc, segment_summary.sort_order asc;

-- How satisfied is it, and how many of its customers repeat?
-- `repeat_rate` is the mean share of their order cycles in which they ordered again.
with

repeaters as (

    select
        final_segment,
        count(*) filter (where orders_to_date > 1) as customers_with_second_order
    from customer_segments
    group by final_segment

)

select
    segment_labels.label_en as segment,
    segment_summary.customers,
    round(segment_summary.csat_average, 2) as csat_average,
    round(segment_summary.nps, 1) as nps,
    repeaters.customers_with_second_order,
    round(segment_summary.repeat_rate, 3) as repeat_rate
from segment_summary
inner join segment_labels
    on
        segment_labels.dimension = 'final_segment'
        and segment_summary.segment = segment_labels.code
inner join repeaters
    on segment_summary.segment = repeaters.final_segment
order by segment_summary.sort_order;
