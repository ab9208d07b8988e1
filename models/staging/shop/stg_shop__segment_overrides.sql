-- Grain: one row per customer and first day of a segment that a person set, the newest delivered one.
with

revisions as (
    select * from {{ source('shop', 'segment_overrides') }}
),

winning_revisions as (

    select *
    from revisions
    qualify row_number() over (
        partition by customer_id, valid_from
        order by _delivery_id desc nulls last, _row_number desc nulls last
    ) = 1

),

renamed as (

    select
        'shop:' || customer_id || ':'
        || cast(valid_from as {{ dbt.type_string() }}) as override_id,
        'shop:' || customer_id as customer_id,
        lower(segment) as segment,
        reason,
        author,
        evidence,
        valid_from,
        valid_to,
        _delivery_id as delivery_id,
        _row_number as row_number
    from winning_revisions

)

select * from renamed
