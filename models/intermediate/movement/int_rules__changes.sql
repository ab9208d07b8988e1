-- Grain: one row per set of rules and day from which another of its rows holds.
-- A set is the dimension of bands, the name of a setting, or a whole seed.
{% set seeds = {
    'bands': 'dimension',
    'settings': 'setting',
    'lifecycle_stages': "'lifecycle_stages'",
    'order_value_groups': "'order_value_groups'",
    'calibration_rules': "'calibration_rules'"
} %}

with

dated_rules as (

    {% for seed, rule_set in seeds.items() %}
    select
        {{ rule_set }} as rule_set,
        valid_from,
        valid_to
    from {{ ref(seed) }}
    {% if not loop.last %}
    union all
    {% endif %}
    {% endfor %}

),

-- Rules that hold since ever change nothing; one that ends without another is a change too.
first_days as (

    select min(valid_from) as first_day from dated_rules

),

changes as (

    select
        dated_rules.rule_set,
        dated_rules.valid_from as changed_on
    from dated_rules
    cross join first_days
    where dated_rules.valid_from > first_days.first_day
    union
    select
        rule_set,
        cast({{ dbt.dateadd('day', 1, 'valid_to') }} as date) as changed_on
    from dated_rules
    where valid_to is not null

)

select * from changes
