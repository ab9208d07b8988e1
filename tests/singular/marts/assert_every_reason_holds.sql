-- The value of a reason lies within its bounds; it is missing only where the code says
-- that nobody knows, or where the last alternative held for want of another.
with

reasons as (
    select * from {{ ref('segment_reasons') }}
),

-- A tier may ask that the margin be unknown: then it is.
asking_for_unknown as (

    select rule_id
    from {{ ref('service_tiers') }}
    where margin_band = 'unknown'
    group by rule_id

)

select
    customer_id,
    rule_id,
    measure
from reasons
where
    value < lower_bound
    or value >= upper_bound
    or (value is null and (lower_bound is not null or upper_bound is not null))
    or (
        value is null
        and code not in ('unknown', 'no_order', 'insufficient_evidence')
        and measure <> 'gap_variation'
        and rule_id not in (
            select asking_for_unknown.rule_id from asking_for_unknown
        )
    )
    or (
        value is not null and lower_bound is null and upper_bound is null
        and code not in ('unknown', 'insufficient_evidence', 'neutral')
        and measure <> 'gap_variation'
        -- Where all buyers are alike the one score is open at both ends.
        and dimension not in ('r_score', 'f_score', 'm_score')
    )
