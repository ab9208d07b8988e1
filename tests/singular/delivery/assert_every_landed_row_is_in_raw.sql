-- Raw holds as many rows of a delivery as the ledger says landed, and none of a file
-- that did not.
-- The raw tables are those of every contract, so a new source is counted too.
{%- set known = graph.sources.values() if execute else [] %}
{%- set feeds = known | rejectattr('source_name', 'in', ['ledger', 'control']) | list %}
with

deliveries as (
    select * from {{ ref('stg_ledger__deliveries') }}
),

raw_counts as (
    {% for feed in feeds %}
    select
        '{{ feed.source_name }}' as source,
        '{{ feed.name }}' as feed,
        _delivery_id as delivery_id,
        count(*) as row_count
    from {{ feed.relation_name }}
    group by _delivery_id
    {% if not loop.last %}
    union all
    {% endif %}
    {% endfor %}
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
