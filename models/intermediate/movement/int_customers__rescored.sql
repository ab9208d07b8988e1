-- Grain: one row per rescoring and customer, the codes of its own measures by the rules and cut points
-- of the rescoring.
with

measured as (
    select * from {{ ref('int_customers__remeasured') }}
),

bands as (
    select * from {{ ref('int_bands__by_as_of') }}
),

rfm_cuts as (
    select * from {{ ref('int_customers__rfm_cuts') }}
    where rfm_method = 'quantile'
),

rfm_map as (
    select * from {{ ref('rfm_map') }}
),

order_value_groups as (
    select * from {{ ref('order_value_groups') }}
),

stages as (
    select * from {{ ref('lifecycle_stages') }}
),

calibration_rules as (
    select * from {{ ref('calibration_rules') }}
),

overridden as (
    select * from {{ ref('int_customers__final_segments') }}
    where override_id is not null
),

{% for dimension, measure in [
    ('r_score', 'recency_days'), ('f_score', 'frequency'), ('m_score', 'monetary')
] %}
{{ dimension }}s as (

    select
        measured.purpose,
        measured.scored_as_of,
        measured.customer_id,
        cast(rfm_cuts.score as {{ dbt.type_string() }}) as score
    from measured
    inner join rfm_cuts
        on
            measured.cuts_as_of = rfm_cuts.as_of_date
            and rfm_cuts.dimension = '{{ dimension }}'
            and (
                rfm_cuts.lower_bound is null
                or measured.{{ measure }} >= rfm_cuts.lower_bound
            )
            and (
                rfm_cuts.upper_bound is null
                or measured.{{ measure }} < rfm_cuts.upper_bound
            )
    where measured.rfm_method = 'quantile' and measured.frequency > 0

    union all

    select
        measured.purpose,
        measured.scored_as_of,
        measured.customer_id,
        score_bands.code as score
    from measured
    inner join bands as score_bands
        on {{ in_band('measured', measure, 'score_bands', dimension) }}
    where measured.rfm_method = 'threshold' and measured.frequency > 0

),
{% endfor %}

first_stages as (

    select
        measured.purpose,
        measured.scored_as_of,
        measured.customer_id,
        min_by(stages.code, stages.priority) as lifecycle_stage
    from measured
    inner join stages
        on
            {{ holds_on('stages', 'measured.as_of_date') }}
            and {{ alternative_holds('stages', 'measured', [], [
                'orders_to_date', 'order_days', 'recency_days', 'days_until_churn',
                'comebacks', 'days_until_decline', 'revenue_fall_rate', 'tenure_days'
            ]) }}
    group by measured.purpose, measured.scored_as_of, measured.customer_id

),

placed as (

    {{ place_value('measured', 'bands') }}

),

coded as (

    select
        placed.purpose,
        placed.scored_as_of,
        placed.as_of_date,
        placed.customer_id,
        case
            when placed.orders_to_date = 0 then 'prospect'
            when placed.frequency = 0 then former_buyers.headline_segment
            else coalesce(rfm_map.headline_segment, 'insufficient_evidence')
        end as headline_segment,
        case when placed.orders_to_date > 0 then placed.spend_band end as spend_band,
        case when placed.orders_to_date > 0 then placed.value_tier end as value_tier,
        coalesce(interaction_bands.code, 'unknown') as interaction_band,
        coalesce(loyalty_bands.code, 'unknown') as loyalty_band,
        coalesce(statuses.code, 'no_order') as activity_status,
        order_value_groups.order_value_group,
        first_stages.lifecycle_stage
    from placed
    inner join first_stages
        on
            placed.purpose = first_stages.purpose
            and placed.scored_as_of = first_stages.scored_as_of
            and placed.customer_id = first_stages.customer_id
    {% for dimension in ['r_score', 'f_score', 'm_score'] %}
    left join {{ dimension }}s
        on
            placed.purpose = {{ dimension }}s.purpose
            and placed.scored_as_of = {{ dimension }}s.scored_as_of
            and placed.customer_id = {{ dimension }}s.customer_id
    {% endfor %}
    left join rfm_map
        on rfm_map.rfm_code = r_scores.score || f_scores.score || m_scores.score
    left join rfm_map as former_buyers
        on former_buyers.rfm_code = '111'
    left join bands as interaction_bands
        on {{ in_band(
            'placed', 'interactions_per_month', 'interaction_bands', 'interaction_band'
        ) }}
    left join bands as loyalty_bands
        on {{ in_band('placed', 'repeat_rate', 'loyalty_bands', 'loyalty_band') }}
    left join bands as statuses
        on {{ in_band('placed', 'recency_days', 'statuses', 'activity_status') }}
    inner join bands as frequency_levels
        on {{ in_band(
            'placed', 'orders_12m', 'frequency_levels', 'order_frequency'
        ) }}
    inner join order_value_groups
        on
            frequency_levels.code = order_value_groups.frequency_level
            and order_value_groups.value_level = case
                when placed.average_cents is null then 'none'
                when placed.average_cents >= placed.cut_cents then 'high'
                else 'low'
            end
            and {{ holds_on('order_value_groups', 'placed.as_of_date') }}

),

calibrated as (

    select
        coded.purpose,
        coded.scored_as_of,
        coded.customer_id,
        min_by(calibration_rules.code, calibration_rules.priority) as code
    from coded
    inner join calibration_rules
        on
            {{ holds_on('calibration_rules', 'coded.as_of_date') }}
            and {{ alternative_holds(
                'calibration_rules', 'coded', [
                    'value_tier', 'spend_band', 'interaction_band', 'loyalty_band',
                    'activity_status'
                ], []
            ) }}
    group by coded.purpose, coded.scored_as_of, coded.customer_id

),

rescored as (

    select
        coded.purpose,
        coded.scored_as_of,
        coded.customer_id,
        coalesce(
            overridden.final_segment, calibrated.code, coded.headline_segment
        ) as final_segment,
        coded.value_tier,
        coded.order_value_group,
        coded.lifecycle_stage
    from coded
    left join calibrated
        on
            coded.purpose = calibrated.purpose
            and coded.scored_as_of = calibrated.scored_as_of
            and coded.customer_id = calibrated.customer_id
    left join overridden
        on
            coded.scored_as_of = overridden.as_of_date
            and coded.customer_id = overridden.customer_id

)

select * from rescored
