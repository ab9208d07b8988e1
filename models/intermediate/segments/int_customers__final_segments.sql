-- Grain: one row per as-of date and customer, the segment by the rules and the one that counts.
-- The headline, then the calibration rules, then what a person said of the customer; of several who
-- did, the one whose word holds since the latest day. When that word expires, an earlier one that still
-- holds counts again, else the rules.
with

measures as (
    select * from {{ ref('int_customers__measures') }}
),

rfm as (
    select * from {{ ref('int_customers__rfm') }}
),

value_bands as (
    select * from {{ ref('int_customers__value_bands') }}
),

engagement as (
    select * from {{ ref('int_customers__engagement') }}
),

calibration_rules as (
    select * from {{ ref('calibration_rules') }}
),

overrides as (
    select * from {{ ref('int_segment_overrides') }}
    where rejection_reason is null
),

customers as (

    select
        measures.as_of_date,
        measures.is_newest,
        measures.customer_id,
        rfm.headline_segment,
        value_bands.value_tier,
        value_bands.spend_band,
        engagement.interaction_band,
        engagement.loyalty_band,
        engagement.activity_status
    from measures
    inner join rfm
        on
            measures.as_of_date = rfm.as_of_date
            and measures.customer_id = rfm.customer_id
    inner join engagement
        on
            measures.as_of_date = engagement.as_of_date
            and measures.customer_id = engagement.customer_id
    left join value_bands
        on
            measures.as_of_date = value_bands.as_of_date
            and measures.customer_id = value_bands.customer_id

),

calibrated as (

    select
        customers.as_of_date,
        customers.customer_id,
        min_by(calibration_rules.code, calibration_rules.priority) as code,
        min_by(calibration_rules.rule_id, calibration_rules.priority) as rule_id
    from customers
    inner join calibration_rules
        on
            {{ holds_on('calibration_rules', 'customers.as_of_date') }}
            and {{ alternative_holds(
                'calibration_rules', 'customers', [
                    'value_tier', 'spend_band', 'interaction_band', 'loyalty_band',
                    'activity_status'
                ], []
            ) }}
    group by customers.as_of_date, customers.customer_id

),

overridden as (

    select
        customers.as_of_date,
        customers.customer_id,
        max_by(overrides.override_id, overrides.valid_from) as override_id,
        max_by(overrides.segment, overrides.valid_from) as segment
    from customers
    inner join overrides
        on
            customers.customer_id = overrides.customer_id
            and {{ holds_on('overrides', 'customers.as_of_date') }}
    group by customers.as_of_date, customers.customer_id

),

final_segments as (

    select
        customers.as_of_date,
        customers.is_newest,
        customers.customer_id,
        coalesce(calibrated.code, customers.headline_segment) as model_segment,
        calibrated.rule_id as calibration_rule_id,
        coalesce(overridden.segment, calibrated.code, customers.headline_segment)
            as final_segment,
        overridden.override_id
    from customers
    left join calibrated
        on
            customers.as_of_date = calibrated.as_of_date
            and customers.customer_id = calibrated.customer_id
    left join overridden
        on
            customers.as_of_date = overridden.as_of_date
            and customers.customer_id = overridden.customer_id

)

select * from final_segments
