-- Grain: one row per customer and as-of at which its revenue in a window changes.
-- Amounts are given as changes against the as-of before, to be summed up: an entry of the ledger comes
-- into a window and leaves it once.
{% set measures = [
    ('net_revenue_to_date', 'to_date', 'net_amount'),
    ('covered_revenue_to_date', 'to_date', 'covered_amount'),
    ('cost_to_date', 'to_date', 'cost_amount'),
    ('covered_entries_to_date', 'to_date', 'covered_entries'),
    ('monetary', 'look_back', 'net_amount'),
    ('net_revenue_12m', '12m', 'net_amount'),
    ('net_revenue_6m', '6m', 'net_amount'),
    ('covered_revenue_12m', '12m', 'covered_amount'),
    ('cost_12m', '12m', 'cost_amount'),
    ('covered_entries_12m', '12m', 'covered_entries')
] %}

with

ledger as (
    select * from {{ ref('int_sales_ledger') }}
    where customer_id is not null
),

periods as (
    select * from {{ ref('int_days__periods') }}
),

spans as (
    select * from {{ ref('int_periods__spans') }}
    where window_name in ('to_date', 'look_back', '12m', '6m')
),

as_of_dates as (
    select * from {{ ref('int_as_of_dates') }}
),

revenue_by_period as (

    select
        ledger.customer_id,
        periods.period_number,
        sum(ledger.net_amount) as net_amount,
        sum(case when ledger.cost_amount is not null then ledger.net_amount else 0 end)
            as covered_amount,
        sum(coalesce(ledger.cost_amount, 0)) as cost_amount,
        count(ledger.cost_amount) as covered_entries
    from ledger
    inner join periods
        on ledger.ledger_date = periods.date_day
    group by ledger.customer_id, periods.period_number

),

changes as (

    select
        revenue_by_period.customer_id,
        spans.from_number as as_of_number,
        spans.window_name,
        revenue_by_period.net_amount,
        revenue_by_period.covered_amount,
        revenue_by_period.cost_amount,
        revenue_by_period.covered_entries
    from revenue_by_period
    inner join spans
        on revenue_by_period.period_number = spans.period_number

    union all

    select
        revenue_by_period.customer_id,
        spans.until_number as as_of_number,
        spans.window_name,
        -revenue_by_period.net_amount as net_amount,
        -revenue_by_period.covered_amount as covered_amount,
        -revenue_by_period.cost_amount as cost_amount,
        -revenue_by_period.covered_entries as covered_entries
    from revenue_by_period
    inner join spans
        on revenue_by_period.period_number = spans.period_number
    where spans.until_number is not null

),

changes_by_as_of as (

    select
        {% for measure, window_name, amount in measures %}
        sum(
            case
                when changes.window_name = '{{ window_name }}' then changes.{{ amount }}
                else 0
            end
        ) as {{ measure }}_change,
        {% endfor %}
        changes.customer_id,
        as_of_dates.as_of_date
    from changes
    inner join as_of_dates
        on changes.as_of_number = as_of_dates.as_of_number
    group by changes.customer_id, as_of_dates.as_of_date

)

select * from changes_by_as_of
