-- Grain: one row per segment set by hand, accepted or not.
-- An unknown customer or segment is most likely a typing error: the row stays and counts nowhere.
with

overrides as (
    {{ union_sources('segment_overrides', [
        'override_id', 'customer_id', 'segment', 'reason', 'author', 'evidence',
        'valid_from', 'valid_to', 'delivery_id', 'row_number'
    ]) }}
),

customers as (
    select * from {{ ref('int_customers__united') }}
),

labels as (
    select * from {{ ref('labels') }}
    where dimension = 'final_segment'
),

judged as (

    select
        overrides.source,
        overrides.override_id,
        overrides.customer_id,
        overrides.segment,
        overrides.reason,
        overrides.author,
        overrides.evidence,
        overrides.valid_from,
        overrides.valid_to,
        overrides.delivery_id,
        overrides.row_number,
        case
            when customers.customer_id is null then 'unknown_customer'
            when labels.code is null then 'unknown_segment'
            when overrides.valid_to < overrides.valid_from then 'ends_before_it_begins'
        end as rejection_reason
    from overrides
    left join customers
        on overrides.customer_id = customers.customer_id
    left join labels
        on overrides.segment = labels.code

)

select * from judged
