-- Every record counted in a landed file either landed or was quarantined; nothing was
-- lost on the way.
with

deliveries as (
    select * from {{ ref('stg_ledger__deliveries') }}
    where status = 'landed'
)

select delivery_id
from deliveries
where
    records_counted is null
    or rows_landed is null
    or rows_quarantined is null
    or records_counted <> rows_landed + rows_quarantined
