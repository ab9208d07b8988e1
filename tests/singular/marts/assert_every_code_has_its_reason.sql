-- Whoever has a code has a reason for it, and nobody has a reason for another code.
{%- set dimensions = [
    'rfm_segment', 'headline_segment', 'model_segment', 'final_segment', 'r_score',
    'f_score', 'm_score', 'spend_band', 'frequency_band',
    'margin_band', 'value_tier', 'abc_class', 'order_value_group', 'activity_status',
    'interaction_band', 'cycle_band', 'loyalty_band', 'relationship_tier',
    'lifecycle_stage', 'potential_band', 'value_potential_quadrant', 'service_tier',
    'cluster_name'
] %}
-- An age band says all that may be known of an age.
{%- set profile_dimensions = [
    'need_type', 'product_preference', 'channel_preference', 'core_need', 'revenue_band'
] %}
{%- set flags = ['to_activate', 'has_conflicting_bands'] %}
with

codes as (
    {% for dimension in dimensions %}
    select
        customer_id,
        '{{ dimension }}' as dimension,
        cast({{ dimension }} as {{ dbt.type_string() }}) as code
    from {{ ref('customer_segments') }}
    where {{ dimension }} is not null
    union all
    {% endfor %}
    {% for dimension in profile_dimensions %}
    select
        customer_id,
        '{{ dimension }}' as dimension,
        {{ dimension }} as code
    from {{ ref('customer_profiles') }}
    where {{ dimension }} is not null
    union all
    {% endfor %}
    {% for flag in flags %}
    select
        customer_id,
        '{{ flag }}' as dimension,
        'true' as code
    from {{ ref('customer_segments') }}
    where {{ flag }}
    {% if not loop.last %}
    union all
    {% endif %}
    {% endfor %}
),

reasons as (

    select
        customer_id,
        dimension,
        code
    from {{ ref('segment_reasons') }}
    group by customer_id, dimension, code

)

select
    coalesce(codes.customer_id, reasons.customer_id) as customer_id,
    coalesce(codes.dimension, reasons.dimension) as dimension
from codes
full outer join reasons
    on
        codes.customer_id = reasons.customer_id
        and codes.dimension = reasons.dimension
        and codes.code = reasons.code
where codes.customer_id is null or reasons.customer_id is null
