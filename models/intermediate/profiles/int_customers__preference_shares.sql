-- Grain: one row per customer, dimension and measure, how much of the whole lies on one side.
-- Each dimension has two sides (products and services, premium and value, online and offline); what
-- is known of neither is left out of the whole. Part and whole stay apart, so that a share on a cut
-- is compared exactly.
with

settings as (

    select settings.*
    from {{ ref('int_settings__by_as_of') }} as settings
    inner join {{ ref('int_as_of_dates') }} as as_of_dates
        on settings.as_of_date = as_of_dates.as_of_date
    where as_of_dates.is_newest

),

interactions as (
    select * from {{ ref('int_interactions__united') }}
),

purchases as (
    select * from {{ ref('int_customers__purchases') }}
),

orders as (
    select * from {{ ref('int_orders__valued') }}
    where customer_id is not null and is_countable
),

need_signals as (
    select * from {{ ref('need_signals') }}
),

parts as (

    select
        interactions.customer_id,
        'need_type' as dimension,
        need_signals.need_type || '_signal_share' as measure,
        cast(count(*) as decimal(18, 2)) as part
    from interactions
    inner join settings
        on
            interactions.interaction_date > settings.after_12m
            and interactions.interaction_date <= settings.as_of_date
    inner join need_signals
        on
            need_signals.evidence = 'interaction'
            and interactions.interaction_type = need_signals.kind
    group by interactions.customer_id, need_signals.need_type

    union all

    select
        purchases.customer_id,
        'need_type' as dimension,
        need_signals.need_type || '_signal_share' as measure,
        cast(sum(purchases.line_count) as decimal(18, 2)) as part
    from purchases
    inner join need_signals
        on
            need_signals.evidence = 'order_line'
            and purchases.product_kind = need_signals.kind
    group by purchases.customer_id, need_signals.need_type

    union all

    select
        customer_id,
        'product_preference' as dimension,
        price_tier || '_revenue_share' as measure,
        cast(sum(net_revenue) as decimal(18, 2)) as part
    from purchases
    where price_tier in ('premium', 'value')
    group by customer_id, price_tier

    union all

    select
        orders.customer_id,
        'channel_preference' as dimension,
        orders.channel || '_order_share' as measure,
        cast(count(*) as decimal(18, 2)) as part
    from orders
    inner join settings
        on
            orders.order_date > settings.after_12m
            and orders.order_date <= settings.as_of_date
    where
        orders.channel in ('online', 'offline')
        and (orders.voided_on is null or orders.voided_on > settings.as_of_date)
    group by orders.customer_id, orders.channel

),

sides as (

    select
        customer_id,
        dimension,
        measure,
        cast(sum(part) as decimal(18, 2)) as part
    from parts
    group by customer_id, dimension, measure

),

shares as (

    select
        customer_id,
        dimension,
        measure,
        part,
        cast(sum(part) over (partition by customer_id, dimension) as decimal(18, 2))
            as whole
    from sides

)

select * from shares
