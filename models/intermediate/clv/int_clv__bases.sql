-- Grain: one row per fit date and source with sales by then, what its CLV is measured in.
-- One basis for a whole source: margins of some customers beside revenues of others add up to nothing.
with

ledger as (
    select * from {{ ref('int_sales_ledger') }}
),

fit_dates as (
    select * from {{ ref('int_clv__fit_dates') }}
),

daily_sales as (

    select
        source,
        ledger_date,
        sum(net_amount) as net_amount,
        sum(case when cost_amount is not null then net_amount else 0 end)
            as covered_amount
    from ledger
    group by source, ledger_date

),

sales_to_date as (

    select
        fit_dates.fit_date,
        daily_sales.source,
        fit_dates.margin_coverage_minimum,
        cast(sum(daily_sales.net_amount) as decimal(18, 2)) as net_amount,
        cast(sum(daily_sales.covered_amount) as decimal(18, 2)) as covered_amount
    from fit_dates
    inner join daily_sales
        on fit_dates.fit_date >= daily_sales.ledger_date
    group by
        fit_dates.fit_date,
        daily_sales.source,
        fit_dates.margin_coverage_minimum

),

bases as (

    select
        fit_date,
        source,
        -- Cross-multiplied: a coverage on the cut is enough, in exact decimals.
        case
            when
                covered_amount > 0
                and covered_amount >= margin_coverage_minimum * net_amount
                then 'margin'
            else 'revenue'
        end as clv_basis
    from sales_to_date

)

select * from bases
