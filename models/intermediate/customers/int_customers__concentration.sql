-- Grain: one row per percentile and measure at the newest as-of, what the best
-- customers bring.
-- Each measure ranks the buyers of 12 months by itself. What a customer costs (a
-- negative amount) counts as nothing and is summed up beside, so that shares lie
-- between 0 and 1. Who of several equal customers stands before the cut does not
-- matter: their amounts are the same.
with

as_of_dates as (
    select * from {{ ref('int_as_of_dates') }}
    where is_newest
),

buyers as (
    select * from {{ ref('int_customers__measures') }}
    where is_newest and orders_12m > 0
),

percentiles as (
    select * from {{ ref('int_percentiles') }}
),

measures as (

    select 'net_revenue_12m' as measure
    union all
    select 'margin_12m' as measure

),

amounts as (

    select
        customer_id,
        'net_revenue_12m' as measure,
        net_revenue_12m as amount
    from buyers

    union all

    select
        customer_id,
        'margin_12m' as measure,
        coalesce(margin_12m, 0) as amount
    from buyers

),

ranked_amounts as (

    select
        measure,
        row_number() over best_first as place,
        cast(sum(greatest(amount, 0)) over best_first as decimal(28, 2)) as top_amount
    from amounts
    window best_first as (
        partition by measure
        order by amount desc nulls last, customer_id asc nulls last
        rows between unbounded preceding and current row
    )

),

totals as (

    select
        measure,
        count(*) as buyers,
        cast(sum(greatest(amount, 0)) as decimal(28, 2)) as total_amount,
        cast(sum(greatest(-amount, 0)) as decimal(28, 2)) as clipped_amount
    from amounts
    group by measure

),

-- Every percentile has a row, also where nobody bought.
cuts as (

    select
        as_of_dates.as_of_date,
        percentiles.percentile,
        measures.measure,
        coalesce(totals.total_amount, 0) as total_amount,
        coalesce(totals.clipped_amount, 0) as clipped_amount,
        -- The next whole customer: ceil(n p / 100) is floor((n p + 99) / 100).
        {{ integer_quotient(
            '(coalesce(totals.buyers, 0) * percentiles.percentile + 99)', '100'
        ) }} as customers
    from as_of_dates
    cross join percentiles
    cross join measures
    left join totals
        on measures.measure = totals.measure

),

concentration as (

    select
        cuts.as_of_date,
        cuts.percentile,
        cuts.measure,
        cuts.customers,
        coalesce(ranked_amounts.top_amount, 0) as top_amount,
        cuts.total_amount,
        cuts.clipped_amount
    from cuts
    left join ranked_amounts
        on
            cuts.measure = ranked_amounts.measure
            and cuts.customers = ranked_amounts.place

)

select * from concentration
