-- Grain: one row per as-of date, the settings that hold on it and the windows they open.
-- A window of N days is `after < date <= as_of_date`, so its first day is `after` + 1.
with

settings as (
    select * from {{ ref('settings') }}
),

as_of_dates as (
    select * from {{ ref('int_as_of_dates') }}
),

fact_settings as (
    select * from {{ ref('stg_rules__fact_settings') }}
),

rule_versions as (
    select * from {{ ref('stg_control__rule_versions') }}
),

settings_at_as_of as (

    select
        as_of_dates.as_of_date,
        settings.setting,
        settings.value
    from as_of_dates
    inner join settings
        on {{ holds_on('settings', 'as_of_dates.as_of_date') }}

),

pivoted as (

    select
        as_of_date,
        max(value) filter (where setting = 'rfm_method') as rfm_method,
        cast(max(value) filter (where setting = 'look_back_days') as int)
            as look_back_days,
        cast(max(value) filter (where setting = 'days_24m') as int) as days_24m,
        cast(max(value) filter (where setting = 'days_12m') as int) as days_12m,
        cast(max(value) filter (where setting = 'days_6m') as int) as days_6m,
        cast(max(value) filter (where setting = 'days_3m') as int) as days_3m,
        cast(max(value) filter (where setting = 'minimum_buyers_to_rank') as bigint)
            as minimum_buyers_to_rank,
        cast(max(value) filter (where setting = 'order_value_cut') as double)
            as order_value_cut,
        cast(
            max(value) filter (where setting = 'margin_coverage_minimum')
            as decimal(18, 6)
        )
            as margin_coverage_minimum,
        cast(
            max(value) filter (where setting = 'minimum_cycle_days') as decimal(9, 2)
        ) as minimum_cycle_days,
        cast(max(value) filter (where setting = 'full_referrals') as int)
            as full_referrals,
        cast(
            max(value) filter (where setting = 'churn_gap_multiple') as decimal(9, 4)
        ) as churn_gap_multiple,
        cast(
            max(value) filter (where setting = 'decline_gap_multiple') as decimal(9, 4)
        ) as decline_gap_multiple,
        cast(max(value) filter (where setting = 'minimum_decline_days') as int)
            as minimum_decline_days,
        cast(max(value) filter (where setting = 'comeback_days') as int)
            as comeback_days,
        cast(max(value) filter (where setting = 'minimum_comeback_gap_days') as int)
            as minimum_comeback_gap_days,
        cast(
            max(value) filter (where setting = 'comeback_gap_multiple') as decimal(9, 4)
        ) as comeback_gap_multiple,
        cast(max(value) filter (where setting = 'maximum_age') as int) as maximum_age,
        cast(max(value) filter (where setting = 'minimum_need_signals') as bigint)
            as minimum_need_signals,
        cast(max(value) filter (where setting = 'early_experience_days') as int)
            as early_experience_days,
        cast(max(value) filter (where setting = 'second_order_days') as int)
            as second_order_days,
        cast(max(value) filter (where setting = 'clv_yearly_discount') as double)
            as clv_yearly_discount,
        cast(max(value) filter (where setting = 'clv_interval_share') as double)
            as clv_interval_share,
        cast(max(value) filter (where setting = 'clv_minimum_p_alive') as double)
            as clv_minimum_p_alive,
        cast(max(value) filter (where setting = 'quadrant_value_cut') as double)
            as quadrant_value_cut,
        cast(max(value) filter (where setting = 'potential_cut') as double)
            as potential_cut,
        cast(max(value) filter (where setting = 'maximum_life_years') as int)
            as maximum_life_years,
        cast(max(value) filter (where setting = 'minimum_cohort_customers') as bigint)
            as minimum_cohort_customers,
        cast(max(value) filter (where setting = 'minimum_clusters') as int)
            as minimum_clusters,
        cast(max(value) filter (where setting = 'maximum_clusters') as int)
            as maximum_clusters,
        cast(max(value) filter (where setting = 'minimum_cluster_customers') as bigint)
            as minimum_cluster_customers,
        cast(max(value) filter (where setting = 'cluster_sample') as bigint)
            as cluster_sample,
        cast(
            max(value) filter (where setting = 'minimum_cluster_agreement')
            as decimal(9, 4)
        ) as minimum_cluster_agreement
    from settings_at_as_of
    group by as_of_date

),

versions_at_as_of as (

    select
        as_of_dates.as_of_date,
        max_by(rule_versions.rule_version, rule_versions.valid_from) as rule_version
    from as_of_dates
    inner join rule_versions
        on as_of_dates.as_of_date >= rule_versions.valid_from
    group by as_of_dates.as_of_date

),

with_windows as (

    select
        pivoted.*,
        versions_at_as_of.rule_version,
        -- No look-back means all of history.
        coalesce(
            cast(
                {{ dbt.dateadd(
                    'day', '-pivoted.look_back_days', 'pivoted.as_of_date'
                ) }} as date
            ),
            cast({{ dbt.dateadd('day', -1, 'fact_settings.minimum_date') }} as date)
        ) as look_back_after,
        cast(
            {{ dbt.dateadd('day', '-pivoted.days_24m', 'pivoted.as_of_date') }} as date
        ) as after_24m,
        cast(
            {{ dbt.dateadd('day', '-pivoted.days_12m', 'pivoted.as_of_date') }} as date
        ) as after_12m,
        cast(
            {{ dbt.dateadd('day', '-pivoted.days_6m', 'pivoted.as_of_date') }} as date
        ) as after_6m,
        cast(
            {{ dbt.dateadd('day', '-pivoted.days_3m', 'pivoted.as_of_date') }} as date
        ) as after_3m
    from pivoted
    inner join versions_at_as_of
        on pivoted.as_of_date = versions_at_as_of.as_of_date
    cross join fact_settings

)

select * from with_windows
