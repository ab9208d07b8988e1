-- Grain: one row per delivered record that is out of the facts; no raw text.
with

rejected_rows as (
    select * from {{ ref('int_rejected_rows') }}
),

published_rows as (

    select
        set_aside_by || ':' || source || ':' || feed || ':'
        || cast(delivery_id as {{ dbt.type_string() }}) || ':'
        || cast(record_number as {{ dbt.type_string() }}) as rejected_row_id,
        source,
        feed,
        delivery_id,
        record_number,
        record_id,
        column_name,
        set_aside_by,
        rejection_reason
    from rejected_rows

)

select * from published_rows
