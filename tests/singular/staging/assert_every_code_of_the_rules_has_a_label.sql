-- Every code that a rule can give has a label, also one that nobody has today.
with

codes as (

    -- Scores and the levels behind the groups A to E are steps on the way, not codes of
    -- a mart.
    select
        dimension,
        code
    from {{ ref('bands') }}
    where dimension not in ('order_frequency', 'r_score', 'f_score', 'm_score')
    union
    select
        dimension,
        code
    from {{ ref('lifecycle_stages') }}
    union
    select
        dimension,
        code
    from {{ ref('relationship_tiers') }}
    union
    select
        dimension,
        code
    from {{ ref('activation_rules') }}
    union
    select
        dimension,
        code
    from {{ ref('calibration_rules') }}
    union
    select
        'final_segment' as dimension,
        code
    from {{ ref('calibration_rules') }}
    union
    select
        'final_segment' as dimension,
        headline_segment as code
    from {{ ref('rfm_map') }}
    union
    select
        'model_segment' as dimension,
        headline_segment as code
    from {{ ref('rfm_map') }}
    union
    select
        dimension,
        code
    from {{ ref('service_tiers') }}
    union
    select
        'value_potential_quadrant' as dimension,
        value_potential_quadrant as code
    from {{ ref('value_potential_quadrants') }}
    union
    select
        'order_value_group' as dimension,
        order_value_group as code
    from {{ ref('order_value_groups') }}
    union
    select
        'rfm_segment' as dimension,
        rfm_segment as code
    from {{ ref('rfm_map') }}
    union
    select
        'headline_segment' as dimension,
        headline_segment as code
    from {{ ref('rfm_map') }}
    union
    select
        'cluster_name' as dimension,
        cluster_name as code
    from {{ ref('cluster_names') }}
    union
    select
        'core_need' as dimension,
        core_need as code
    from {{ ref('core_needs') }}
    union
    select
        'customer_type' as dimension,
        customer_type as code
    from {{ ref('core_needs') }}
    union
    select
        'topic' as dimension,
        topic as code
    from {{ ref('need_topics') }}
    union
    select
        'measure' as dimension,
        measure as code
    from {{ ref('bands') }}

),

labels as (
    select * from {{ ref('labels') }}
)

select
    codes.dimension,
    codes.code
from codes
left join labels
    on
        codes.dimension = labels.dimension
        and codes.code = labels.code
where labels.code is null
