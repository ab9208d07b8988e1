-- Grain: exactly one row, where this build starts from and what it was asked for.
with

increment as (
    select * from {{ source('control', 'increment') }}
),

renamed as (

    select
        since_delivery_id,
        is_full_rebuild,
        reason,
        rule_version,
        coalesce(last_day, date '9999-12-31') as last_day,
        history_from,
        restate_from
    from increment

)

select * from renamed
