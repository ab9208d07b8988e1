-- Grain: one row per customer above the lowest tier at the newest as-of and later day on which facts leave
-- its 12 months, with what is left if nothing happens.
with

measures as (
    select * from {{ ref('int_customers__measures') }}
    where is_newest
),

value_bands as (
    select * from {{ ref('int_customers__value_bands') }}
),

settings as (
    select * from {{ ref('int_settings__by_as_of') }}
),

tier_ranks as (
    select * from {{ ref('segment_ranks') }}
    where dimension = 'value_tier'
),

ledger as (
    select * from {{ ref('int_sales_ledger') }}
    where customer_id is not null
),

orders as (
    select * from {{ ref('int_orders__valued') }}
    where customer_id is not null and is_countable
),

higher_tiers as (

    select
        code,
        segment_rank
    from tier_ranks
    qualify segment_rank < max(segment_rank) over ()

),

customers as (

    select
        measures.as_of_date,
        measures.customer_id,
        higher_tiers.segment_rank as tier_rank,
        settings.margin_coverage_minimum,
        settings.after_12m,
        settings.days_12m
    from measures
    inner join value_bands
        on
            measures.as_of_date = value_bands.as_of_date
            and measures.customer_id = value_bands.customer_id
    inner join settings
        on measures.as_of_date = settings.as_of_date
    inner join higher_tiers
        on value_bands.value_tier = higher_tiers.code

),

facts as (

    select
        customer_id,
        ledger_date as fact_date,
        net_amount,
        case when cost_amount is not null then net_amount else 0 end as covered_amount,
        coalesce(cost_amount, 0) as cost_amount,
        0 as order_count,
        cast(null as date) as voided_on
    from ledger

    union all

    select
        customer_id,
        order_date as fact_date,
        0 as net_amount,
        0 as covered_amount,
        0 as cost_amount,
        1 as order_count,
        voided_on
    from orders

),

leaving as (

    select
        customers.as_of_date,
        customers.customer_id,
        customers.tier_rank,
        customers.margin_coverage_minimum,
        cast(
            {{ dbt.dateadd('day', 'customers.days_12m', 'facts.fact_date') }} as date
        ) as leaves_on,
        sum(facts.net_amount) as net_amount,
        sum(facts.covered_amount) as covered_amount,
        sum(facts.cost_amount) as cost_amount,
        sum(facts.order_count) as order_count
    from customers
    inner join facts
        on
            customers.customer_id = facts.customer_id
            and customers.after_12m < facts.fact_date
            and customers.as_of_date >= facts.fact_date
            and (facts.voided_on is null or facts.voided_on > customers.as_of_date)
    group by
        customers.as_of_date,
        customers.customer_id,
        customers.tier_rank,
        customers.margin_coverage_minimum,
        customers.days_12m,
        facts.fact_date

),

-- What stays is what leaves later.
remaining as (

    select
        as_of_date,
        customer_id,
        tier_rank,
        margin_coverage_minimum,
        leaves_on,
        coalesce(sum(net_amount) over later, 0) as net_revenue_12m,
        coalesce(sum(covered_amount) over later, 0) as covered_revenue_12m,
        coalesce(sum(cost_amount) over later, 0) as cost_12m,
        coalesce(sum(order_count) over later, 0) as orders_12m
    from leaving
    window later as (
        partition by customer_id
        order by leaves_on desc nulls last
        rows between unbounded preceding and 1 preceding
    )

),

departures as (

    select
        as_of_date,
        customer_id,
        tier_rank,
        leaves_on,
        cast(orders_12m as bigint) as orders_12m,
        cast(net_revenue_12m as decimal(18, 2)) as net_revenue_12m,
        {{ margin_rate(
            'cast(covered_revenue_12m - cost_12m as decimal(18, 2))',
            'cast(covered_revenue_12m as decimal(18, 2))',
            'net_revenue_12m', 'margin_coverage_minimum'
        ) }} as margin_rate_12m
    from remaining

)

select * from departures
