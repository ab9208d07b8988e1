-- Grain: one row per month-end, dimension, segment before, segment after and cause.
-- Customers who stayed are rows too, so that what opens and enters is what closes and exits.
-- An entry has no segment before, an exit none after.
-- depends_on: {{ ref('int_month_ends__opened') }}
{% set codes = {
    'final_segment': "movements.{}_final_segment",
    'value_tier': "coalesce(movements.{}_value_tier, 'no_order')",
    'order_value_group': "movements.{}_order_value_group",
    'lifecycle_stage': "movements.{}_lifecycle_stage"
} %}

with

movements as (
    select * from {{ ref('int_customers__movements') }}
),

rescorings as (
    select * from {{ ref('int_rescorings') }}
    where purpose = 'migration'
),

rescored as (
    select * from {{ ref('int_customers__rescored') }}
    where purpose = 'migration'
),

month_facts as (
    select * from {{ ref('int_customers__month_facts') }}
),

-- Which dimensions rest on a rule that changed between the two month-ends.
changed_rules as (

    select
        rescorings.scored_as_of,
        migration_rules.dimension,
        count(*) as changes
    from rescorings
    inner join {{ ref('int_rules__changes') }} as changes
        on
            rescorings.rules_day < changes.changed_on
            and rescorings.scored_as_of >= changes.changed_on
    inner join {{ ref('migration_rules') }} as migration_rules
        on changes.rule_set = migration_rules.rule_set
    group by rescorings.scored_as_of, migration_rules.dimension

),

moves as (

    {% for dimension, code in codes.items() %}
    select
        movements.scored_as_of,
        '{{ dimension }}' as dimension,
        movements.is_entry,
        movements.is_exit,
        movements.was_recomputed,
        movements.opening_net_revenue_12m,
        movements.closing_net_revenue_12m,
        case when not movements.is_entry then {{ code.format('from') }} end
            as from_segment,
        case when not movements.is_exit then {{ code.format('to') }} end as to_segment,
        case when movements.was_recomputed then {{ code.format('recomputed') }} end
            as recomputed_segment,
        {% if dimension == 'value_tier' -%}
        coalesce(rescored.value_tier, 'no_order') as rescored_segment,
        {%- else -%}
        rescored.{{ dimension }} as rescored_segment,
        {%- endif %}
        {% if dimension == 'final_segment' -%}
        movements.from_final_segment <> movements.from_model_segment
        or movements.to_final_segment <> movements.to_model_segment as is_overridden,
        {%- else -%}
        false as is_overridden,
        {%- endif %}
        coalesce(changed_rules.changes, 0) > 0 as has_changed_rules,
        coalesce(month_facts.is_refunded, false) as is_refunded,
        coalesce(month_facts.has_ordered, false) as has_ordered
    from movements
    left join rescored
        on
            movements.scored_as_of = rescored.scored_as_of
            and movements.customer_id = rescored.customer_id
    left join changed_rules
        on
            movements.scored_as_of = changed_rules.scored_as_of
            and changed_rules.dimension = '{{ dimension }}'
    left join month_facts
        on
            movements.scored_as_of = month_facts.scored_as_of
            and movements.customer_id = month_facts.customer_id
    {% if not loop.last %}
    union all
    {% endif %}
    {% endfor %}

),

-- The first cause that holds. Whoever enters without having been known is new; whoever exits does so
-- because the data changed.
caused as (

    select
        *,
        case
            when is_exit then 'restated_data'
            when is_entry and was_recomputed then 'restated_data'
            when is_entry then 'new_customer'
            when from_segment = to_segment then 'stayed'
            when is_overridden then 'override'
            when has_changed_rules and rescored_segment = from_segment
                then 'rule_version'
            when recomputed_segment = to_segment then 'restated_data'
            when rescored_segment = from_segment then 'population_cut'
            when is_refunded then 'refund'
            when has_ordered then 'new_order'
            else 'time_passing'
        end as cause
    from moves

),

migrations as (

    select
        caused.dimension || ':'
        || cast(caused.scored_as_of as {{ dbt.type_string() }}) || ':'
        || coalesce(caused.from_segment, '') || ':'
        || coalesce(caused.to_segment, '') || ':' || caused.cause
            as segment_migration_id,
        caused.dimension,
        rescorings.rules_day as from_as_of,
        caused.scored_as_of as as_of_date,
        caused.from_segment,
        caused.to_segment,
        caused.cause,
        cast(count(*) as bigint) as customers,
        cast(coalesce(sum(caused.opening_net_revenue_12m), 0) as decimal(18, 2))
            as opening_net_revenue_12m,
        cast(coalesce(sum(caused.closing_net_revenue_12m), 0) as decimal(18, 2))
            as closing_net_revenue_12m
    from caused
    inner join rescorings
        on caused.scored_as_of = rescorings.scored_as_of
    group by
        caused.dimension, rescorings.rules_day, caused.scored_as_of,
        caused.from_segment, caused.to_segment, caused.cause

)

select * from migrations
