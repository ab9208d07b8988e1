-- Grain: one row per customer at the newest as-of, why it is in its final segment, in words.
with

final_segments as (
    select * from {{ ref('int_customers__final_segments') }}
    where is_newest
),

rfm as (
    select * from {{ ref('int_customers__rfm') }}
    where is_newest
),

calibration_rules as (
    select * from {{ ref('calibration_rules') }}
),

overrides as (
    select * from {{ ref('int_segment_overrides') }}
),

labels as (
    select * from {{ ref('labels') }}
    where dimension = 'headline_segment'
),

scored as (

    select
        final_segments.customer_id,
        case
            when rfm.headline_segment = 'prospect' then 'no order yet'
            when rfm.rfm_code is null then 'too few buyers to be ranked among'
            when rfm.frequency = 0
                then
                    'last order '
                    || cast(rfm.recency_days as {{ dbt.type_string() }})
                    || ' days ago, before the look-back'
            else
                'R' || cast(rfm.r_score as {{ dbt.type_string() }})
                || ' F' || cast(rfm.f_score as {{ dbt.type_string() }})
                || ' M' || cast(rfm.m_score as {{ dbt.type_string() }})
                || ', last order '
                || cast(rfm.recency_days as {{ dbt.type_string() }})
                || ' days ago, '
                || cast(rfm.frequency as {{ dbt.type_string() }})
                || case
                    when rfm.frequency = 1 then ' order and ' else ' orders and '
                end
                || cast(rfm.monetary as {{ dbt.type_string() }})
                || ' in the look-back'
        end as scores_in_words
    from final_segments
    inner join rfm
        on final_segments.customer_id = rfm.customer_id

),

reasons as (

    select
        final_segments.customer_id,
        case
            when overrides.override_id is not null
                then
                    'Set by ' || overrides.author || ' from '
                    || cast(overrides.valid_from as {{ dbt.type_string() }})
                    || coalesce(
                        ' to ' || cast(overrides.valid_to as {{ dbt.type_string() }}),
                        ''
                    )
                    || ': ' || overrides.reason
            when calibration_rules.rule_id is not null
                then
                    calibration_rules.meaning || '; by RFM ' || labels.label_en || ': '
                    || scored.scores_in_words
            else labels.label_en || ': ' || scored.scores_in_words
        end as segment_reason
    from final_segments
    inner join rfm
        on final_segments.customer_id = rfm.customer_id
    inner join scored
        on final_segments.customer_id = scored.customer_id
    inner join labels
        on rfm.headline_segment = labels.code
    left join overrides
        on final_segments.override_id = overrides.override_id
    left join calibration_rules
        on
            final_segments.calibration_rule_id = calibration_rules.rule_id
            and {{ holds_on('calibration_rules', 'final_segments.as_of_date') }}

)

select * from reasons
