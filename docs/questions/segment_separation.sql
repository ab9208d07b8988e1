-- Which segmentation tells best who comes back?
-- Means of the month-ends. `separation` is 0 where all segments return alike, 1 where the
-- segment tells it for sure; `monotonicity` is 1 where no worse segment returned more.
select
    segment_labels.label_en as segmentation,
    segment_labels.label_zh as segmentation_zh,
    count(segment_separation.separation) as month_ends,
    round(avg(segment_separation.separation), 3) as separation,
    round(avg(segment_separation.monotonicity), 3) as monotonicity
from segment_separation
inner join segment_labels
    on
        segment_labels.dimension = 'dimension'
        and segment_separation.dimension = segment_labels.code
group by
    segment_labels.label_en, segment_labels.label_zh, segment_labels.sort_order
order by separation desc, segment_labels.sort_order asc;

-- Did slipping customers return less than growing ones?
-- Within 91 days of each month-end; `monotonicity` is of all headline segments.
select
    segment_separation.as_of_date,
    round(growing.return_rate, 3) as growing_return_rate,
    round(slipping.return_rate, 3) as slipping_return_rate,
    slipping.return_rate < growing.return_rate as slipping_returned_less,
    segment_separation.monotonicity
from segment_separation
inner join segment_performance as growing
    on
        segment_separation.as_of_date = growing.as_of_date
        and segment_separation.dimension = growing.dimension
        and growing.segment = 'growing'
inner join segment_performance as slipping
    on
        segment_separation.as_of_date = slipping.as_of_date
        and segment_separation.dimension = slipping.dimension
        and slipping.segment = 'slipping'
where segment_separation.dimension = 'headline_segment'
order by segment_separation.as_of_date desc
limit 12;
