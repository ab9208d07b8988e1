-- Grain: one row per rescoring and customer that moved (`migration`) or exists (`rule_impact`), its own
-- measures at the as-of beside the day of the rules that score them again.
-- Measured by the windows of the as-of: a rule that changes what is measured, like a look-back, is not
-- told apart.
with

rescorings as (
    select * from {{ ref('int_rescorings') }}
),

movements as (
    select * from {{ ref('int_customers__movements') }}
    where not is_entry and not is_exit
),

segments as (
    select * from {{ ref('int_customers__segments') }}
),

engagement as (
    select * from {{ ref('int_customers__engagement') }}
),

lifecycle as (
    select * from {{ ref('int_customers__lifecycle') }}
),

cycles as (
    select * from {{ ref('int_as_of_dates__cycles') }}
),

order_value_medians as (

    select
        as_of_date,
        max(median_cents) as median_cents
    from {{ ref('int_customers__order_value_groups') }}
    group by as_of_date

),

-- Whoever stayed everywhere needs no cause.
scored_customers as (

    select
        rescorings.*,
        movements.customer_id
    from movements
    inner join rescorings
        on
            movements.scored_as_of = rescorings.scored_as_of
            and rescorings.purpose = 'migration'
    where
        movements.from_final_segment <> movements.to_final_segment
        or movements.from_value_tier is distinct from movements.to_value_tier
        or movements.from_order_value_group <> movements.to_order_value_group
        or movements.from_lifecycle_stage <> movements.to_lifecycle_stage

    union all

    select
        rescorings.*,
        segments.customer_id
    from segments
    inner join rescorings
        on
            segments.as_of_date = rescorings.scored_as_of
            and rescorings.purpose = 'rule_impact'

),

-- `as_of_date` is the day whose bands and rules are looked up.
measured as (

    select
        scored_customers.purpose,
        scored_customers.scored_as_of,
        scored_customers.rules_day as as_of_date,
        scored_customers.cuts_as_of,
        scored_customers.rfm_method,
        scored_customers.customer_id,
        segments.recency_days,
        segments.frequency,
        segments.monetary,
        segments.orders_to_date,
        segments.orders_12m,
        segments.net_revenue_12m,
        segments.margin_rate_12m,
        engagement.interactions_per_month,
        engagement.repeat_rate,
        lifecycle.order_days,
        lifecycle.comebacks,
        lifecycle.revenue_fall_rate,
        lifecycle.tenure_days,
        cast(segments.net_revenue_12m * 100 as double)
        / nullif(cast(segments.orders_12m as double), 0) as average_cents,
        coalesce(
            scored_customers.order_value_cut * 100, order_value_medians.median_cents
        ) as cut_cents,
        {{ days_until(
            'scored_customers.churn_gap_multiple', 'lifecycle.median_gap_days',
            'segments.recency_days'
        ) }} as days_until_churn,
        {{ days_until(
            'scored_customers.decline_gap_multiple',
            'coalesce(lifecycle.median_gap_days, cycles.median_gap_days, 0)',
            'segments.recency_days',
            'scored_customers.minimum_decline_days'
        ) }} as days_until_decline
    from scored_customers
    inner join segments
        on
            scored_customers.scored_as_of = segments.as_of_date
            and scored_customers.customer_id = segments.customer_id
    inner join engagement
        on
            scored_customers.scored_as_of = engagement.as_of_date
            and scored_customers.customer_id = engagement.customer_id
    inner join lifecycle
        on
            scored_customers.scored_as_of = lifecycle.as_of_date
            and scored_customers.customer_id = lifecycle.customer_id
    inner join cycles
        on scored_customers.cuts_as_of = cycles.as_of_date
    left join order_value_medians
        on scored_customers.cuts_as_of = order_value_medians.as_of_date

)

select * from measured
