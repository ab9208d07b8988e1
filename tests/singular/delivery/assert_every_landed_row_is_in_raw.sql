-- Raw holds as many rows of a delivery as the ledger says landed, and none of a file
-- that did not.
{%- set tables = {
    'shop': [
        'orders', 'order_lines', 'refunds', 'customers', 'products', 'interactions',
        'campaigns', 'campaign_contacts', 'recommendations_shown', 'segment_overrides',
        'customer_links',
    ],
    'online_retail': ['invoice_lines'],
} %}
with

deliveries as (
    select * from {{ ref('stg_ledger__deliveries') }}
),

raw_counts as (
    {% for source_name, feeds in tables.items() %}
    {%- set is_last_source = loop.last %}
    {%- for feed in feeds %}
    select
        '{{ source_name }}' as source,
        '{{ feed }}' as feed,
        _delivery_id as delivery_id,
        count(*) as row_count
    from {{ source(source_name, feed) }}
    group by _delivery_id
    {% if not (loop.last and is_last_source) %}
    union all
    {% endif %}
    {%- endfor %}
    {%- endfor %}
),

expected_counts as (

    select
        delivery_id,
        source,
        feed,
        case when status = 'landed' then rows_landed else 0 end as row_count
    from deliveries

)

select coalesce(expected_counts.delivery_id, raw_counts.delivery_id) as delivery_id
from expected_counts
full outer join raw_counts
    on
        expected_counts.delivery_id = raw_counts.delivery_id
        and expected_counts.source = raw_counts.source
        and expected_counts.feed = raw_counts.feed
where coalesce(expected_counts.row_count, 0) <> coalesce(raw_counts.row_count, 0)
