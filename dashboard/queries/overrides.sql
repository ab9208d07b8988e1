select
    customer_id, segment, author, reason, valid_from, valid_to, override_status,
    model_segment_now, override_outcome
from marts.main.override_ledger
order by valid_from desc, customer_id
limit 200
