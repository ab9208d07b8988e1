-- Grain: one row per month-end that this build computes anew though it was published.
-- What was published is compared with what is computed now, before the history takes it over.
{% set codes = [
    'headline_segment', 'model_segment', 'final_segment', 'rfm_code', 'value_tier', 'abc_class', 'order_value_group',
    'activity_status', 'interaction_band', 'cycle_band', 'loyalty_band',
    'relationship_tier', 'lifecycle_stage', 'cluster_name'
] %}

with

month_ends as (
    select * from {{ ref('int_month_ends') }}
    where was_kept and not is_kept
),

kept_history as (
    select * from {{ ref('stg_control__kept_history') }}
),

segments as (
    select * from {{ ref('int_customers__segments') }}
),

increment as (
    select * from {{ ref('stg_control__increment') }}
),

ledger as (

    select max(delivery_id) as last_delivery_id
    from {{ ref('stg_ledger__deliveries') }}

),

reported as (

    select kept_history.*
    from kept_history
    inner join month_ends
        on kept_history.as_of_date = month_ends.as_of_date

),

recomputed as (

    select
        segments.as_of_date,
        segments.customer_id,
        {% for code in codes %}
        segments.{{ code }},
        {% endfor %}
        segments.net_revenue_12m
    from segments
    inner join month_ends
        on segments.as_of_date = month_ends.as_of_date

),

compared as (

    select
        coalesce(reported.as_of_date, recomputed.as_of_date) as as_of_date,
        reported.customer_id is not null as is_before,
        recomputed.customer_id is not null as is_after,
        reported.net_revenue_12m as net_revenue_12m_before,
        recomputed.net_revenue_12m as net_revenue_12m_after,
        -- Who never ordered has no tier; who is on one side only is not the same.
        coalesce(
            reported.net_revenue_12m = recomputed.net_revenue_12m
            {% for code in codes %}
            and reported.{{ code }} is not distinct from recomputed.{{ code }}
            {% endfor %},
            false
        ) as is_same
    from reported
    full outer join recomputed
        on
            reported.as_of_date = recomputed.as_of_date
            and reported.customer_id = recomputed.customer_id

),

summed_up as (

    select
        as_of_date,
        count(*) filter (where is_before) as customers_before,
        count(*) filter (where is_after) as customers_after,
        count(*) filter (where not is_same) as customers_changed,
        cast(coalesce(sum(net_revenue_12m_before), 0) as decimal(18, 2))
            as net_revenue_12m_before,
        cast(coalesce(sum(net_revenue_12m_after), 0) as decimal(18, 2))
            as net_revenue_12m_after
    from compared
    group by as_of_date

),

restated as (

    select
        cast(summed_up.as_of_date as {{ dbt.type_string() }}) || ':'
        || cast(ledger.last_delivery_id as {{ dbt.type_string() }}) as restatement_id,
        summed_up.as_of_date,
        ledger.last_delivery_id,
        case
            when increment.is_full_rebuild then increment.reason
            when month_ends.is_late then 'a fact dated on or before it came late'
            else 'asked for'
        end as reason,
        summed_up.customers_before,
        summed_up.customers_after,
        summed_up.customers_changed,
        summed_up.net_revenue_12m_before,
        summed_up.net_revenue_12m_after
    from summed_up
    inner join month_ends
        on summed_up.as_of_date = month_ends.as_of_date
    cross join increment
    cross join ledger
    -- A rebuild that changes nothing of a month-end is no restatement.
    where summed_up.customers_changed > 0 or month_ends.is_late

)

select * from restated
