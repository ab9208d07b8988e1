-- Grain: one row per dimension, segment by the rules before their latest change and segment by the rules
-- in force, of the customers whom the change moves at the newest as-of.
{% set codes = {
    'final_segment': '{}.final_segment',
    'value_tier': "coalesce({}.value_tier, 'no_order')",
    'order_value_group': '{}.order_value_group',
    'lifecycle_stage': '{}.lifecycle_stage'
} %}

with

rescorings as (
    select * from {{ ref('int_rescorings') }}
    where purpose = 'rule_impact'
),

rescored as (
    select * from {{ ref('int_customers__rescored') }}
    where purpose = 'rule_impact'
),

segments as (
    select * from {{ ref('int_customers__segments') }}
    where is_newest
),

judged as (

    {% for dimension, code in codes.items() %}
    select
        rescored.scored_as_of,
        '{{ dimension }}' as dimension,
        {{ code.format('rescored') }} as from_segment,
        {{ code.format('segments') }} as to_segment,
        segments.net_revenue_12m
    from rescored
    inner join segments
        on
            rescored.scored_as_of = segments.as_of_date
            and rescored.customer_id = segments.customer_id
    {% if not loop.last %}
    union all
    {% endif %}
    {% endfor %}

),

rule_impact as (

    select
        judged.dimension || ':' || judged.from_segment || ':' || judged.to_segment
            as rule_impact_id,
        judged.scored_as_of as as_of_date,
        cast({{ dbt.dateadd('day', 1, 'rescorings.rules_day') }} as date) as changed_on,
        judged.dimension,
        judged.from_segment,
        judged.to_segment,
        cast(count(*) as bigint) as customers,
        cast(sum(judged.net_revenue_12m) as decimal(18, 2)) as net_revenue_12m
    from judged
    inner join rescorings
        on judged.scored_as_of = rescorings.scored_as_of
    where judged.from_segment <> judged.to_segment
    group by
        judged.scored_as_of, rescorings.rules_day, judged.dimension,
        judged.from_segment, judged.to_segment

)

select * from rule_impact
