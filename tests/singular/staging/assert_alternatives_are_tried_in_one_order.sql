-- On every day the alternatives of stages and tiers have each a place of their own, bound
-- nothing to an empty range, and end with one that asks for nothing, so that everybody has
-- a stage; activation and calibration rules have a place of their own too.
{%- set rules = {
    'lifecycle_stages': {
        'ends': true,
        'codes': [],
        'measures': [
            'orders_to_date', 'order_days', 'recency_days', 'days_until_churn',
            'comebacks', 'days_until_decline', 'revenue_fall_rate', 'tenure_days'
        ],
    },
    'relationship_tiers': {
        'ends': true,
        'codes': ['interaction_band'],
        'measures': ['csat_average_12m'],
    },
    'service_tiers': {
        'ends': true,
        'codes': ['value_tier', 'margin_band', 'loyalty_band', 'potential_band'],
        'measures': [],
    },
    'activation_rules': {
        'ends': false,
        'codes': [
            'value_tier', 'interaction_band', 'loyalty_band', 'activity_status'
        ],
        'measures': [],
    },
    'calibration_rules': {
        'ends': false,
        'codes': [
            'value_tier', 'spend_band', 'interaction_band', 'loyalty_band',
            'activity_status'
        ],
        'measures': [],
    },
} %}
with

alternatives as (
    {% for seed, asked in rules.items() %}
    select
        '{{ seed }}' as seed,
        {{ asked.ends }} as has_to_end,
        rule_id,
        priority,
        valid_from,
        valid_to,
        false
        {% for measure in asked.measures %}
        or coalesce({{ measure }}_from >= {{ measure }}_below, false)
        {% endfor %}
            as is_empty,
        false
        {% for code in asked.codes %}
        or {{ code }} is not null
        {% endfor %}
        {% for measure in asked.measures %}
        or {{ measure }}_from is not null
        or {{ measure }}_below is not null
        {% endfor %}
            as asks_for_something
    from {{ ref(seed) }}
    {% if not loop.last %}
    union all
    {% endif %}
    {% endfor %}
),

days_of_change as (

    select
        seed,
        has_to_end,
        valid_from as change_date
    from alternatives
    union
    select
        seed,
        has_to_end,
        cast({{ dbt.dateadd('day', 1, 'valid_to') }} as date) as change_date
    from alternatives
    where valid_to is not null

),

on_days as (

    select
        days_of_change.seed,
        days_of_change.has_to_end,
        days_of_change.change_date,
        alternatives.rule_id,
        alternatives.is_empty,
        alternatives.asks_for_something,
        count(*) over (
            partition by
                days_of_change.seed, days_of_change.change_date, alternatives.priority
        ) as sharing_priority,
        row_number() over (
            partition by days_of_change.seed, days_of_change.change_date
            order by
                alternatives.priority desc nulls last,
                alternatives.rule_id desc nulls last
        ) as place_from_last
    from days_of_change
    left join alternatives
        on
            days_of_change.seed = alternatives.seed
            and {{ holds_on('alternatives', 'days_of_change.change_date') }}

)

select
    seed,
    change_date,
    rule_id
from on_days
where
    rule_id is null
    or is_empty
    or sharing_priority > 1
    or (not asks_for_something and place_from_last > 1)
    or (has_to_end and asks_for_something and place_from_last = 1)
