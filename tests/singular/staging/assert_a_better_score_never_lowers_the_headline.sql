-- Improving one RFM score by one, the others equal, never lowers the rank of the
-- headline segment.
with

rfm_map as (
    select * from {{ ref('rfm_map') }}
)

select
    worse.rfm_code,
    better.rfm_code as better_rfm_code
from rfm_map as worse
inner join rfm_map as better
    on
        better.r_score - worse.r_score >= 0
        and better.f_score - worse.f_score >= 0
        and better.m_score - worse.m_score >= 0
        and better.r_score + better.f_score + better.m_score
        = worse.r_score + worse.f_score + worse.m_score + 1
where
    better.headline_rank < worse.headline_rank
    -- A rank stands for one segment, else a segment could change while the rank stays.
    or (
        better.headline_rank = worse.headline_rank
        and better.headline_segment <> worse.headline_segment
    )
