-- Every mart with money adds up to the ledger to the cent: every difference is 0.
with

reconciliation as (
    select * from {{ ref('reconciliation') }}
)

select reconciliation_id
from reconciliation
where difference <> 0 or difference is null
