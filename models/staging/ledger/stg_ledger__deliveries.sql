-- Grain: one row per delivered file in the ledger.
with

deliveries as (
    select * from {{ source('ledger', 'deliveries') }}
),

renamed as (

    select
        delivery_id,
        source,
        feed,
        file_name,
        sha256,
        bytes,
        records_counted,
        rows_landed,
        rows_quarantined,
        status,
        note,
        loaded_at
    from deliveries

)

select * from renamed
