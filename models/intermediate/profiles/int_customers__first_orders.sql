-- Grain: one row per customer at the newest as-of with a counted order, its first experience (L9).
-- What may still happen, or what the customer's source never tells of, is not false but empty.
with

measures as (
    select * from {{ ref('int_customers__measures') }}
    where is_newest and first_order_date is not null
),

settings as (
    select * from {{ ref('int_settings__by_as_of') }}
),

orders as (
    select * from {{ ref('int_orders__valued') }}
    where customer_id is not null and is_countable
),

-- Money given back, of whichever order or of none.
refunds as (
    select * from {{ ref('int_sales_ledger') }}
    where entry_type in ('refund', 'credit_note') and customer_id is not null
),

interactions as (
    select * from {{ ref('int_interactions__united') }}
    where interaction_type in ('complaint', 'csat')
),

told_facts as (
    select * from {{ ref('int_sources__told_facts') }}
),

first_orders as (

    select
        measures.as_of_date,
        measures.source,
        measures.customer_id,
        measures.first_order_date,
        cast(
            {{ dbt.dateadd(
                'day', 'settings.early_experience_days', 'measures.first_order_date'
            ) }} as date
        ) as early_until,
        cast(
            {{ dbt.dateadd(
                'day', 'settings.second_order_days', 'measures.first_order_date'
            ) }} as date
        ) as second_order_until
    from measures
    inner join settings
        on measures.as_of_date = settings.as_of_date

),

events as (

    select
        customer_id,
        ledger_date as event_date,
        'refund' as kind,
        cast(null as decimal(18, 6)) as score
    from refunds

    union all

    select
        customer_id,
        interaction_date as event_date,
        interaction_type as kind,
        score
    from interactions

),

early_events as (

    select
        first_orders.customer_id,
        count(*) filter (where events.kind = 'refund') > 0 as had_refund,
        count(*) filter (where events.kind = 'complaint') > 0 as had_complaint,
        cast(sum(events.score) filter (where events.kind = 'csat') as double)
        / nullif(
            cast(count(*) filter (where events.kind = 'csat') as double), 0
        ) as csat_average
    from first_orders
    inner join events
        on
            first_orders.customer_id = events.customer_id
            and first_orders.first_order_date <= events.event_date
            and first_orders.early_until >= events.event_date
            and first_orders.as_of_date >= events.event_date
    group by first_orders.customer_id

),

second_orders as (

    select first_orders.customer_id
    from first_orders
    inner join orders
        on
            first_orders.customer_id = orders.customer_id
            and first_orders.second_order_until >= orders.order_date
            and first_orders.as_of_date >= orders.order_date
    where orders.voided_on is null or orders.voided_on > first_orders.as_of_date
    group by first_orders.customer_id
    having count(*) > 1

),

first_experiences as (

    select
        first_orders.as_of_date,
        first_orders.customer_id,
        first_orders.first_order_date,
        case
            when early_events.had_refund then true
            when
                first_orders.early_until <= first_orders.as_of_date
                and told_facts.tells_of_refunds
                then false
        end as had_early_refund,
        case
            when early_events.had_complaint then true
            when
                first_orders.early_until <= first_orders.as_of_date
                and told_facts.tells_of_complaints
                then false
        end as had_early_complaint,
        early_events.csat_average as first_order_csat,
        case
            when second_orders.customer_id is not null then true
            when first_orders.second_order_until <= first_orders.as_of_date then false
        end as has_second_order_90d
    from first_orders
    left join told_facts
        on first_orders.source = told_facts.source
    left join early_events
        on first_orders.customer_id = early_events.customer_id
    left join second_orders
        on first_orders.customer_id = second_orders.customer_id

)

select * from first_experiences
