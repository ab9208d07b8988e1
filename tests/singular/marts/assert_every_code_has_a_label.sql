-- Every code that a reader meets has an English and a Chinese label.
{%- set code_columns = {
    'customer_segments': [
        'rfm_segment', 'headline_segment', 'model_segment', 'final_segment',
        'spend_band', 'frequency_band', 'margin_band', 'value_tier', 'abc_class', 'order_value_group',
        'activity_status', 'interaction_band', 'cycle_band', 'loyalty_band',
        'relationship_tier', 'lifecycle_stage', 'potential_band',
        'value_potential_quadrant', 'service_tier', 'clv_status', 'cluster_name',
        'next_step_kind',
    ],
    'customer_clv': ['clv_basis', 'clv_status', 'clv_reason'],
    'customer_engagement': [
        'activity_status', 'interaction_band', 'cycle_band', 'loyalty_band',
        'relationship_tier',
    ],
    'customer_lifecycle': ['lifecycle_stage'],
    'customer_clusters': ['cluster_name'],
    'customer_value': [
        'spend_band', 'frequency_band', 'margin_band', 'value_tier', 'abc_class',
        'order_value_group', 'potential_band', 'value_potential_quadrant',
    ],
    'customer_rfm': ['rfm_segment', 'headline_segment'],
    'customer_profiles': [
        'customer_type', 'revenue_band', 'age_band', 'need_type', 'product_preference',
        'channel_preference', 'core_need',
    ],
    'override_ledger': ['override_outcome'],
    'segment_migrations': ['cause'],
    'rejected_rows': ['rejection_reason'],
} %}
with

codes as (
    {% for table, columns in code_columns.items() %}
    {%- set is_last_table = loop.last %}
    {%- for column in columns %}
    select
        '{{ column }}' as dimension,
        {{ column }} as code
    from {{ ref(table) }}
    where {{ column }} is not null
    group by {{ column }}
    {% if not (loop.last and is_last_table) %}
    union all
    {% endif %}
    {%- endfor %}
    {%- endfor %}
),

segment_labels as (
    select * from {{ ref('segment_labels') }}
)

select
    codes.dimension,
    codes.code
from codes
left join segment_labels
    on
        codes.dimension = segment_labels.dimension
        and codes.code = segment_labels.code
where segment_labels.label_en is null or segment_labels.label_zh is null
