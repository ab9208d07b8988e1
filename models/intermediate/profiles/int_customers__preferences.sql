-- Grain: one row per customer at the newest as-of, its need type and preferences (N1, N2).
-- Bands look at the share of either side, so that a cut is inclusive on both: 70% service is service
-- as 70% product is product. A side that reaches its cut names the code; else it is the one between.
with

customers as (
    select * from {{ ref('int_customers__at_as_of') }}
    where is_newest
),

settings as (
    select * from {{ ref('int_settings__by_as_of') }}
),

bands as (
    select * from {{ ref('int_bands__by_as_of') }}
),

shares as (
    select * from {{ ref('int_customers__preference_shares') }}
),

banded_shares as (

    select
        customers.as_of_date,
        customers.customer_id,
        shares.dimension,
        shares.measure,
        shares.part,
        shares.whole,
        -- Cross-multiplied in exact decimals. Money given back may leave nothing to share.
        case
            when
                shares.dimension <> 'need_type'
                or shares.whole >= settings.minimum_need_signals
                then bands.code
        end as code
    from customers
    inner join settings
        on customers.as_of_date = settings.as_of_date
    inner join shares
        on customers.customer_id = shares.customer_id
    inner join bands
        on
            customers.as_of_date = bands.as_of_date
            and shares.dimension = bands.dimension
            and shares.measure = bands.measure
            and shares.part >= bands.lower_bound * cast(shares.whole as decimal(19, 2))
            and shares.part < bands.upper_bound * cast(shares.whole as decimal(19, 2))
    where shares.whole > 0

),

coded_customers as (

    select
        customer_id,
        coalesce(
            max(code) filter (
                where dimension = 'need_type' and code <> 'comprehensive'
            ),
            max(code) filter (where dimension = 'need_type')
        ) as need_type,
        coalesce(
            max(code) filter (
                where dimension = 'product_preference' and code <> 'mixed'
            ),
            max(code) filter (where dimension = 'product_preference')
        ) as product_preference,
        coalesce(
            max(code) filter (
                where dimension = 'channel_preference' and code <> 'mixed'
            ),
            max(code) filter (where dimension = 'channel_preference')
        ) as channel_preference,
        max(whole) filter (where dimension = 'need_type') as need_signals,
        max(part) filter (where measure = 'product_signal_share') as product_signals,
        max(whole) filter (where dimension = 'product_preference') as tier_revenue,
        max(part) filter (where measure = 'premium_revenue_share') as premium_revenue,
        max(whole) filter (where dimension = 'channel_preference') as channel_orders,
        max(part) filter (where measure = 'online_order_share') as online_orders
    from banded_shares
    group by customer_id

),

preferences as (

    select
        customers.as_of_date,
        customers.customer_id,
        coalesce(coded_customers.need_type, 'unknown') as need_type,
        cast(coalesce(coded_customers.need_signals, 0) as bigint) as need_signals_12m,
        -- In whole cents: 0.60 of 3.00 is 0.2 and not a hair below. A missing side is 0.
        cast(coalesce(coded_customers.product_signals, 0) as double)
        / cast(coded_customers.need_signals as double) as product_signal_share_12m,
        coalesce(coded_customers.product_preference, 'unknown') as product_preference,
        cast(coalesce(coded_customers.premium_revenue, 0) * 100 as double)
        / cast(coded_customers.tier_revenue * 100 as double)
            as premium_revenue_share_12m,
        coalesce(coded_customers.channel_preference, 'unknown') as channel_preference,
        cast(coalesce(coded_customers.online_orders, 0) as double)
        / cast(coded_customers.channel_orders as double) as online_share_12m
    from customers
    left join coded_customers
        on customers.customer_id = coded_customers.customer_id

)

select * from preferences
