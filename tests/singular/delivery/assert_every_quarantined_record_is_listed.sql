-- The quarantine lists as many records of a delivery as the ledger says were
-- quarantined.
with

deliveries as (
    select * from {{ ref('stg_ledger__deliveries') }}
    where status = 'landed'
),

quarantined_records as (

    select
        delivery_id,
        count(*) as record_count
    from {{ ref('stg_ledger__quarantine') }}
    group by delivery_id

)

select coalesce(deliveries.delivery_id, quarantined_records.delivery_id) as delivery_id
from deliveries
full outer join quarantined_records
    on deliveries.delivery_id = quarantined_records.delivery_id
where
    coalesce(deliveries.rows_quarantined, 0)
    <> coalesce(quarantined_records.record_count, 0)
