-- Grain: one row per delivered file, landed, duplicate or refused.
with

deliveries as (
    select * from {{ ref('stg_ledger__deliveries') }}
),

published_deliveries as (

    select
        delivery_id,
        source,
        feed,
        file_name,
        sha256,
        records_counted,
        rows_landed,
        rows_quarantined,
        status,
        note,
        loaded_at
    from deliveries

)

select * from published_deliveries
