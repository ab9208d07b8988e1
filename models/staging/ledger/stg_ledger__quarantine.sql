-- Grain: one row per quarantined record; its raw text stays in raw, it may hold personal data.
with

quarantine as (
    select * from {{ source('ledger', 'quarantine') }}
),

renamed as (

    select
        delivery_id,
        source,
        feed,
        line_number,
        column_name
    from quarantine

)

select * from renamed
