-- Grain: one row per delivered record that is out of the facts, and why.
-- Set aside by ingestion (quarantine) or by a business rule of staging; without the raw text.
with

quarantine as (
    select * from {{ ref('stg_ledger__quarantine') }}
),

staged_records as (
    {{ union_rejecting(['delivery_id', 'row_number', 'rejection_reason']) }}
),

overrides as (
    select * from {{ ref('int_segment_overrides') }}
),

rejected_records as (

    select
        source,
        feed,
        delivery_id,
        row_number as record_number,
        record_id,
        cast(null as {{ dbt.type_string() }}) as column_name,
        'staging' as set_aside_by,
        rejection_reason
    from staged_records
    where rejection_reason is not null

    union all

    -- Whether a customer is known only all sources together can say.
    select
        source,
        'segment_overrides' as feed,
        delivery_id,
        row_number as record_number,
        override_id as record_id,
        cast(null as {{ dbt.type_string() }}) as column_name,
        'staging' as set_aside_by,
        rejection_reason
    from overrides
    where rejection_reason is not null

    union all

    select
        source,
        feed,
        delivery_id,
        line_number as record_number,
        cast(null as {{ dbt.type_string() }}) as record_id,
        column_name,
        'ingestion' as set_aside_by,
        'not_typed' as rejection_reason
    from quarantine

)

select * from rejected_records
