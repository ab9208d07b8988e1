-- Whoever sets a segment by hand names a customer and a segment that the warehouse knows.
select
    override_id,
    rejection_reason
from {{ ref('int_segment_overrides') }}
where rejection_reason is not null
