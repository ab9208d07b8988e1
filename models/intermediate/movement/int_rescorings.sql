-- Grain: one row per as-of date whose customers are scored once more, by which rules and cut points.
-- `migration`: by all that held at the month-end before, to tell a customer's move from a move of the
-- rules or of the others. `rule_impact`: the newest as-of by the rules before their latest change.
with

month_ends as (
    select * from {{ ref('int_month_ends') }}
),

newest_as_of as (
    select * from {{ ref('int_newest_as_of') }}
),

changes as (
    select * from {{ ref('int_rules__changes') }}
),

settings as (
    select * from {{ ref('settings') }}
),

latest_change as (

    select
        newest_as_of.newest_as_of_date,
        max(changes.changed_on) as changed_on
    from newest_as_of
    inner join changes
        on newest_as_of.newest_as_of_date >= changes.changed_on
    group by newest_as_of.newest_as_of_date

),

pairs as (

    select
        'migration' as purpose,
        closed.as_of_date as scored_as_of,
        opened.as_of_date as rules_day,
        opened.as_of_date as cuts_as_of,
        opened.is_kept
    from month_ends as closed
    inner join month_ends as opened
        on opened.as_of_date = cast(
            {{ dbt.dateadd('day', -1, dbt.date_trunc('month', 'closed.as_of_date')) }}
            as date
        )
    where not closed.is_kept

    union all

    select
        'rule_impact' as purpose,
        newest_as_of_date as scored_as_of,
        cast({{ dbt.dateadd('day', -1, 'changed_on') }} as date) as rules_day,
        newest_as_of_date as cuts_as_of,
        false as is_kept
    from latest_change

),

rescorings as (

    select
        pairs.purpose,
        pairs.scored_as_of,
        pairs.rules_day,
        pairs.cuts_as_of,
        pairs.is_kept,
        max(settings.value) filter (where settings.setting = 'rfm_method')
            as rfm_method,
        cast(
            max(settings.value) filter (where settings.setting = 'order_value_cut')
            as double
        ) as order_value_cut,
        cast(
            max(settings.value) filter (where settings.setting = 'churn_gap_multiple')
            as decimal(9, 4)
        ) as churn_gap_multiple,
        cast(
            max(settings.value) filter (where settings.setting = 'decline_gap_multiple')
            as decimal(9, 4)
        ) as decline_gap_multiple,
        cast(
            max(settings.value) filter (where settings.setting = 'minimum_decline_days')
            as int
        ) as minimum_decline_days
    from pairs
    inner join settings
        on {{ holds_on('settings', 'pairs.rules_day') }}
    group by
        pairs.purpose, pairs.scored_as_of, pairs.rules_day, pairs.cuts_as_of,
        pairs.is_kept

)

select * from rescorings
