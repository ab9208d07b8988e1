-- Grain: one row per delivered record that is out of the facts, and why.
-- Set aside by ingestion (quarantine) or by a business rule of staging; without the raw text.
{%- set feeds = [] -%}
{%- for lists in var('sources').values() -%}
    {%- for feed in lists['rejecting'] if feed not in feeds -%}
        {%- do feeds.append(feed) -%}
    {%- endfor -%}
{%- endfor %}
with

quarantine as (
    select * from {{ ref('stg_ledger__quarantine') }}
),

{% for feed in feeds -%}
rejecting_{{ feed }} as (
    {{ union_sources(
        feed, ['record_id', 'delivery_id', 'row_number', 'rejection_reason'], kind='rejecting'
    ) }}
),

{% endfor -%}
rejected_records as (
    {% for feed in feeds %}
    select
        source,
        '{{ feed }}' as feed,
        delivery_id,
        row_number as record_number,
        record_id,
        cast(null as {{ dbt.type_string() }}) as column_name,
        'staging' as set_aside_by,
        rejection_reason
    from rejecting_{{ feed }}
    where rejection_reason is not null

    union all
    {% endfor %}
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
