-- Each segment of the summary counts the customers who are in it, and no customer is in
-- a segment that the summary lacks.
with

segment_summary as (
    select * from {{ ref('segment_summary') }}
),

counted_segments as (

    select
        final_segment,
        count(*) as customers
    from {{ ref('customer_segments') }}
    group by final_segment

)

select coalesce(segment_summary.segment, counted_segments.final_segment) as segment
from segment_summary
full outer join counted_segments
    on segment_summary.segment = counted_segments.final_segment
where coalesce(segment_summary.customers, 0) <> coalesce(counted_segments.customers, 0)
