-- Grain: one row per customer at the newest as-of, dimension and measure behind model and final segment.
-- What decided a code that a calibration rule names decides the segment.
with

final_segments as (
    select * from {{ ref('int_customers__final_segments') }}
    where is_newest
),

calibration_rules as (
    select * from {{ ref('calibration_rules') }}
),

overrides as (
    select * from {{ ref('int_segment_overrides') }}
),

band_reasons as (
    select * from {{ ref('int_customers__band_reasons') }}
),

headline_reasons as (
    select * from {{ ref('int_customers__other_reasons') }}
    where dimension = 'headline_segment'
),

calibrated as (

    select
        final_segments.*,
        calibration_rules.value_tier,
        calibration_rules.spend_band,
        calibration_rules.interaction_band,
        calibration_rules.loyalty_band,
        calibration_rules.activity_status,
        calibration_rules.clause
    from final_segments
    inner join calibration_rules
        on
            final_segments.calibration_rule_id = calibration_rules.rule_id
            and {{ holds_on('calibration_rules', 'final_segments.as_of_date') }}

),

named_codes as (

    {% for named in [
        'value_tier', 'spend_band', 'interaction_band', 'loyalty_band',
        'activity_status'
    ] %}
    select
        as_of_date,
        customer_id,
        model_segment,
        calibration_rule_id,
        clause,
        '{{ named }}' as named_dimension
    from calibrated
    where {{ named }} is not null
    {% if not loop.last %}
    union all
    {% endif %}
    {% endfor %}

),

model_reasons as (

    select
        final_segments.as_of_date,
        final_segments.customer_id,
        final_segments.model_segment as code,
        headline_reasons.rule_id,
        headline_reasons.measure,
        headline_reasons.value,
        headline_reasons.lower_bound,
        headline_reasons.upper_bound,
        headline_reasons.clause
    from final_segments
    inner join headline_reasons
        on final_segments.customer_id = headline_reasons.customer_id
    where final_segments.calibration_rule_id is null

    union all

    select
        named_codes.as_of_date,
        named_codes.customer_id,
        named_codes.model_segment as code,
        named_codes.calibration_rule_id as rule_id,
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

),

final_reasons as (

    select
        'model_segment' as dimension,
        model_reasons.as_of_date,
        model_reasons.customer_id,
        model_reasons.code,
        model_reasons.rule_id,
        model_reasons.measure,
        model_reasons.value,
        model_reasons.lower_bound,
        model_reasons.upper_bound,
        model_reasons.clause
    from model_reasons

    union all

    select
        'final_segment' as dimension,
        model_reasons.as_of_date,
        model_reasons.customer_id,
        model_reasons.code,
        model_reasons.rule_id,
        model_reasons.measure,
        model_reasons.value,
        model_reasons.lower_bound,
        model_reasons.upper_bound,
        model_reasons.clause
    from model_reasons
    inner join final_segments
        on model_reasons.customer_id = final_segments.customer_id
    where final_segments.override_id is null

    union all

    -- What a person said holds from its first day to its last.
    select
        'final_segment' as dimension,
        final_segments.as_of_date,
        final_segments.customer_id,
        final_segments.final_segment as code,
        'segment_overrides.' || overrides.override_id as rule_id,
        'days_since_override' as measure,
        cast(
            {{ dbt.datediff(
                'overrides.valid_from', 'final_segments.as_of_date', 'day'
            ) }} as double
        ) as value,
        0 as lower_bound,
        cast(
            {{ dbt.datediff('overrides.valid_from', 'overrides.valid_to', 'day') }}
            as double
        ) + 1 as upper_bound,
        'M7' as clause
    from final_segments
    inner join overrides
        on final_segments.override_id = overrides.override_id

)

select * from final_reasons
