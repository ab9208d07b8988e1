-- Grain: one row per as-of date and customer, its stage of life and what decides it.
-- The alternatives of lifecycle_stages are tried in the order of their priority; the first that holds
-- wins. days_until_* fall below zero on the day after the last that the rule allows.
with

measures as (
    select * from {{ ref('int_customers__measures') }}
),

rhythm as (
    select * from {{ ref('int_customers__rhythm') }}
),

comebacks as (
    select * from {{ ref('int_customers__comebacks') }}
),

customers as (
    select * from {{ ref('int_customers__united') }}
),

cycles as (
    select * from {{ ref('int_as_of_dates__cycles') }}
),

settings as (
    select * from {{ ref('int_settings__by_as_of') }}
),

stages as (
    select * from {{ ref('lifecycle_stages') }}
),

gathered as (

    select
        measures.as_of_date,
        measures.is_newest,
        measures.customer_id,
        case
            when customers.activated_date <= measures.as_of_date
                then customers.activated_at
        end as activated_at,
        measures.orders_to_date,
        measures.recency_days,
        {{ dbt.datediff(
            'measures.first_order_date', 'measures.as_of_date', 'day'
        ) }} as tenure_days,
        rhythm.order_days,
        rhythm.median_gap_days,
        rhythm.gap_variation,
        coalesce(comebacks.comebacks, 0) as comebacks,
        {{ days_until(
            'settings.churn_gap_multiple', 'rhythm.median_gap_days',
            'measures.recency_days'
        ) }} as days_until_churn,
        {{ days_until(
            'settings.decline_gap_multiple',
            'coalesce(rhythm.median_gap_days, cycles.median_gap_days, 0)',
            'measures.recency_days',
            'settings.minimum_decline_days'
        ) }} as days_until_decline,
        -- In whole cents, so that a fall to exactly a half is a half.
        case
            when measures.net_revenue_12m - measures.net_revenue_6m > 0
                then
                    cast(
                        (measures.net_revenue_12m - 2 * measures.net_revenue_6m) * 100
                        as double
                    ) / nullif(
                        cast(
                            (measures.net_revenue_12m - measures.net_revenue_6m) * 100
                            as double
                        ), 0
                    )
        end as revenue_fall_rate
    from measures
    inner join settings
        on measures.as_of_date = settings.as_of_date
    inner join cycles
        on measures.as_of_date = cycles.as_of_date
    inner join customers
        on measures.customer_id = customers.customer_id
    left join rhythm
        on
            measures.as_of_date = rhythm.as_of_date
            and measures.customer_id = rhythm.customer_id
    left join comebacks
        on
            measures.as_of_date = comebacks.as_of_date
            and measures.customer_id = comebacks.customer_id

),

first_alternatives as (

    select
        gathered.as_of_date,
        gathered.customer_id,
        min_by(stages.code, stages.priority) as lifecycle_stage,
        min_by(stages.rule_id, stages.priority) as stage_rule_id
    from gathered
    inner join stages
        on
            {{ holds_on('stages', 'gathered.as_of_date') }}
            and {{ alternative_holds('stages', 'gathered', [], [
                'orders_to_date', 'order_days', 'recency_days', 'days_until_churn',
                'comebacks', 'days_until_decline', 'revenue_fall_rate', 'tenure_days'
            ]) }}
    group by gathered.as_of_date, gathered.customer_id

),

staged as (

    select
        gathered.*,
        first_alternatives.lifecycle_stage,
        first_alternatives.stage_rule_id
    from gathered
    inner join first_alternatives
        on
            gathered.as_of_date = first_alternatives.as_of_date
            and gathered.customer_id = first_alternatives.customer_id

)

select * from staged
