-- Grain: one row per customer at the newest as-of, dimension, rule and measure that the rule looks at.
-- A customer has the code because lower_bound <= value < upper_bound holds in every row of it.
with

settings as (
    select * from {{ ref('int_settings__by_as_of') }}
),

reasons as (

    {% for reasons in [
        'int_customers__band_reasons',
        'int_customers__alternative_reasons',
        'int_customers__service_reasons',
        'int_customers__final_reasons',
        'int_customers__other_reasons',
        'int_customers__profile_reasons'
    ] %}
    select
        as_of_date,
        customer_id,
        dimension,
        code,
        rule_id,
        measure,
        value,
        cast(lower_bound as double) as lower_bound,
        cast(upper_bound as double) as upper_bound,
        clause
    from {{ ref(reasons) }}
    {% if not loop.last %}
    union all
    {% endif %}
    {% endfor %}

),

with_rule_version as (

    select
        reasons.as_of_date,
        reasons.customer_id,
        reasons.dimension,
        reasons.code,
        reasons.rule_id,
        reasons.measure,
        reasons.value,
        reasons.lower_bound,
        reasons.upper_bound,
        reasons.clause,
        settings.rule_version
    from reasons
    inner join settings
        on reasons.as_of_date = settings.as_of_date

)

select * from with_rule_version
