-- Grain: one row per accepted segment set by hand, the month-ends that it is judged by.
-- Before: the last month-end of the history that knows nothing of it. After: the first one three months
-- on, when the customer has had time to prove it.
with

overrides as (
    select * from {{ ref('int_segment_overrides') }}
    where rejection_reason is null
),

month_ends as (
    select * from {{ ref('int_month_ends') }}
),

-- The seed itself: most first days are no as-of of this build.
settings as (
    select * from {{ ref('settings') }}
    where setting = 'days_3m'
),

ledger as (
    select * from {{ ref('int_sales_ledger') }}
),

newest_as_of as (
    select * from {{ ref('int_newest_as_of') }}
),

windows as (

    select
        overrides.override_id,
        overrides.customer_id,
        overrides.segment,
        overrides.reason,
        overrides.author,
        overrides.evidence,
        overrides.valid_from,
        overrides.valid_to,
        cast(
            {{ dbt.dateadd(
                'day', 'cast(settings.value as int)', 'overrides.valid_from'
            ) }} as date
        ) as due_on,
        cast(
            {{ dbt.dateadd(
                'day', '-cast(settings.value as int)', 'overrides.valid_from'
            ) }} as date
        ) as since
    from overrides
    inner join settings
        on {{ holds_on('settings', 'overrides.valid_from') }}

),

dated as (

    select
        windows.override_id,
        max(case
            when month_ends.as_of_date < windows.valid_from
                then month_ends.as_of_date
        end) as before_as_of,
        min(case
            when month_ends.as_of_date >= windows.due_on
                then month_ends.as_of_date
        end) as after_as_of
    from windows
    left join month_ends
        on
            windows.valid_from > month_ends.as_of_date
            or windows.due_on <= month_ends.as_of_date
    group by windows.override_id

),

money as (

    select
        windows.override_id,
        sum(case
            when ledger.ledger_date < windows.valid_from
                then ledger.net_amount
        end) as net_revenue_before,
        sum(case
            when ledger.ledger_date >= windows.valid_from
                then ledger.net_amount
        end) as net_revenue_after
    from windows
    inner join ledger
        on
            windows.customer_id = ledger.customer_id
            and windows.since <= ledger.ledger_date
            and windows.due_on > ledger.ledger_date
    group by windows.override_id

),

reviews as (

    select
        windows.*,
        newest_as_of.newest_as_of_date,
        dated.before_as_of,
        dated.after_as_of,
        coalesce(money.net_revenue_before, 0) as net_revenue_before,
        case
            when newest_as_of.newest_as_of_date >= windows.due_on
                then coalesce(money.net_revenue_after, 0)
        end as net_revenue_after
    from windows
    inner join dated
        on windows.override_id = dated.override_id
    left join money
        on windows.override_id = money.override_id
    cross join newest_as_of

)

select * from reviews
