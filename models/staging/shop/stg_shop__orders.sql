-- Grain: one row per order of the shop, its winning revision, accepted or not.
-- The newest `updated_at` wins, then the newest delivery, then the last row: the order in which
-- files happen to arrive decides only where the shop gives no time.
with

winning_revisions as (
    {{ winning_revisions(
        source('shop', 'orders'),
        'order_id',
        is_touched('order_id', ref('stg_shop__touched_orders'), 'touched_key')
    ) }}
),

exchange_rates as (
    select * from {{ ref('stg_rules__exchange_rates') }}
),

fact_settings as (
    select * from {{ ref('stg_rules__fact_settings') }}
),

dated as (

    select
        winning_revisions.*,
        fact_settings.largest_line_amount,
        lower(winning_revisions.status) as order_status,
        coalesce(upper(winning_revisions.currency), fact_settings.base_currency)
            as order_currency,
        {{ business_date('winning_revisions.ordered_at') }} as order_date,
        {{ day_rejection(
            'winning_revisions.ordered_at', 'winning_revisions._delivered_at'
        ) }} as day_reason
    from winning_revisions
    cross join fact_settings

),

judged as (

    select
        'shop:' || dated.order_id as order_id,
        'shop:' || dated.customer_id as customer_id,
        dated.ordered_at,
        dated.order_date,
        lower(dated.channel) as channel,
        dated.order_currency as currency,
        exchange_rates.exchange_rate,
        coalesce(dated.discount_amount, 0) as discount_amount,
        coalesce(dated.tax_amount, 0) as tax_amount,
        coalesce(dated.shipping_amount, 0) as shipping_amount,
        case
            when dated.order_status in ('pending', 'cancelled', 'test')
                then 'status_' || dated.order_status
            when dated.order_status <> 'completed' then 'unknown_status'
            when dated.day_reason is not null then dated.day_reason
            when exchange_rates.exchange_rate is null then 'unknown_currency'
            when abs(dated.discount_amount) > dated.largest_line_amount
                then 'amount_out_of_range'
        end as rejection_reason,
        dated._delivery_id as delivery_id,
        dated._row_number as row_number
    from dated
    left join exchange_rates
        on
            dated.order_currency = exchange_rates.currency
            and dated.order_date >= exchange_rates.valid_from
            and dated.order_date < exchange_rates.valid_before

)

select * from judged
