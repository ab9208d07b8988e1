-- Grain: one row per customer at the newest as-of, dimension and measure that an alternative looks at.
-- The bounds of the alternative that holds, and what decided the codes that it names. The last
-- alternative asks for nothing: it holds because none before it did.
{% set stage_measures = [
    'orders_to_date', 'order_days', 'recency_days', 'days_until_churn', 'comebacks',
    'days_until_decline', 'revenue_fall_rate', 'tenure_days'
] %}
with

band_reasons as (
    select * from {{ ref('int_customers__band_reasons') }}
),

lifecycle as (
    select * from {{ ref('int_customers__lifecycle') }}
    where is_newest
),

engagement as (
    select * from {{ ref('int_customers__engagement') }}
    where is_newest
),

relationships as (

    select
        relationships.*,
        engagement.csat_average_12m
    from {{ ref('int_customers__relationships') }} as relationships
    inner join engagement
        on
            relationships.as_of_date = engagement.as_of_date
            and relationships.customer_id = engagement.customer_id

),

-- Alternatives that bound measures.
staged as (

    select
        lifecycle.*,
        {% for measure in stage_measures %}
        stages.{{ measure }}_from,
        stages.{{ measure }}_below,
        {% endfor %}
        stages.clause
    from lifecycle
    inner join {{ ref('lifecycle_stages') }} as stages
        on
            lifecycle.stage_rule_id = stages.rule_id
            and {{ holds_on('stages', 'lifecycle.as_of_date') }}

),

tiered as (

    select
        relationships.*,
        tiers.interaction_band,
        tiers.csat_average_12m_from,
        tiers.csat_average_12m_below,
        coalesce(tiers.clause, 'B5') as clause
    from relationships
    left join {{ ref('relationship_tiers') }} as tiers
        on
            relationships.relationship_rule_id = tiers.rule_id
            and {{ holds_on('tiers', 'relationships.as_of_date') }}

),

conflicted as (

    select
        as_of_date,
        customer_id,
        spend_band,
        frequency_band,
        margin_band
    from {{ ref('int_customers__segments') }}
    where is_newest and has_conflicting_bands

),

activated as (

    select
        relationships.as_of_date,
        relationships.customer_id,
        relationships.activation_rule_id,
        rules.value_tier,
        rules.interaction_band,
        rules.loyalty_band,
        rules.activity_status,
        rules.clause
    from relationships
    inner join {{ ref('activation_rules') }} as rules
        on
            relationships.activation_rule_id = rules.rule_id
            and {{ holds_on('rules', 'relationships.as_of_date') }}

),

-- Alternatives that name codes: what decided the code decides here.
named_codes as (

    select
        as_of_date,
        customer_id,
        'relationship_tier' as dimension,
        relationship_tier as code,
        relationship_rule_id as rule_id,
        clause,
        'interaction_band' as named_dimension
    from tiered
    where interaction_band is not null
    {% for named in [
        'value_tier', 'interaction_band', 'loyalty_band', 'activity_status'
    ] %}
    union all
    select
        as_of_date,
        customer_id,
        'to_activate' as dimension,
        'true' as code,
        activation_rule_id as rule_id,
        clause,
        '{{ named }}' as named_dimension
    from activated
    where {{ named }} is not null
    {% endfor %}
    -- One band high and another low: those of the two ends.
    {% for named in ['spend_band', 'frequency_band', 'margin_band'] %}
    union all
    select
        as_of_date,
        customer_id,
        'has_conflicting_bands' as dimension,
        'true' as code,
        'has_conflicting_bands.' || {{ named }} as rule_id,
        'V7' as clause,
        '{{ named }}' as named_dimension
    from conflicted
    where {{ named }} in ('high', 'low')
    {% endfor %}

),

alternative_reasons as (

    select
        named_codes.as_of_date,
        named_codes.customer_id,
        named_codes.dimension,
        named_codes.code,
        named_codes.rule_id,
        band_reasons.measure,
        band_reasons.value,
        band_reasons.lower_bound,
        band_reasons.upper_bound,
        named_codes.clause
    from named_codes
    inner join band_reasons
        on
            named_codes.customer_id = band_reasons.customer_id
            and named_codes.named_dimension = band_reasons.dimension

    {% for measure in stage_measures %}
    union all
    select
        as_of_date,
        customer_id,
        'lifecycle_stage' as dimension,
        lifecycle_stage as code,
        stage_rule_id as rule_id,
        '{{ measure }}' as measure,
        cast({{ measure }} as double) as value,
        cast({{ measure }}_from as double) as lower_bound,
        cast({{ measure }}_below as double) as upper_bound,
        clause
    from staged
    where {{ measure }}_from is not null or {{ measure }}_below is not null
    {% endfor %}

    union all

    -- The last alternative bounds nothing: it holds because none before it did.
    select
        as_of_date,
        customer_id,
        'lifecycle_stage' as dimension,
        lifecycle_stage as code,
        stage_rule_id as rule_id,
        'gap_variation' as measure,
        gap_variation as value,
        cast(null as double) as lower_bound,
        cast(null as double) as upper_bound,
        clause
    from staged
    where
        true
        {% for measure in stage_measures %}
        and {{ measure }}_from is null
        and {{ measure }}_below is null
        {% endfor %}

    union all

    select
        as_of_date,
        customer_id,
        'relationship_tier' as dimension,
        relationship_tier as code,
        coalesce(relationship_rule_id, 'relationship_tier.unknown') as rule_id,
        'csat_average_12m' as measure,
        csat_average_12m as value,
        cast(csat_average_12m_from as double) as lower_bound,
        cast(csat_average_12m_below as double) as upper_bound,
        clause
    from tiered

)

select * from alternative_reasons
