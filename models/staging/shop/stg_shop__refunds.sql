-- Grain: one row per refund or credit note of the shop, its winning revision, accepted or not.
-- An increment looks at all revisions of a refund that ever named a touched order: which order it
-- belongs to is known only once the winning one is found.
with

candidates as (

    select refund_id
    from {{ source('shop', 'refunds') }}
    where {{ is_touched(
        'coalesce(order_id, refund_id)', ref('stg_shop__touched_orders'), 'touched_key'
    ) }}
    group by refund_id

),

winning_revisions as (
    {{ winning_revisions(
        source('shop', 'refunds'),
        'refund_id',
        'refund_id in (select candidates.refund_id from candidates)'
    ) }}
),

orders as (
    select * from {{ ref('stg_shop__orders') }}
    where {{ is_touched('order_id', ref('stg_shop__touched_orders')) }}
),

accepted_lines as (
    select
        order_id,
        line_number
    from {{ ref('stg_shop__order_lines') }}
    where
        rejection_reason is null
        and {{ is_touched('order_id', ref('stg_shop__touched_orders')) }}
),

fact_settings as (
    select * from {{ ref('stg_rules__fact_settings') }}
),

dated as (

    select
        winning_revisions.*,
        fact_settings.largest_line_amount,
        'shop:' || winning_revisions.order_id as refunded_order_id,
        {{ business_date('winning_revisions.refunded_at') }} as refund_date,
        {{ day_rejection(
            'winning_revisions.refunded_at', 'winning_revisions._delivered_at'
        ) }} as day_reason
    from winning_revisions
    cross join fact_settings
    where {{ is_touched(
        'coalesce(winning_revisions.order_id, winning_revisions.refund_id)',
        ref('stg_shop__touched_orders'), 'touched_key'
    ) }}

),

refunded_lines as (

    select
        order_id,
        line_number
    from accepted_lines
    where order_id in (select dated.refunded_order_id from dated)

),

orders_with_lines as (

    select order_id
    from refunded_lines
    group by order_id

),

judged as (

    select
        'shop:' || dated.refund_id as refund_id,
        dated.refunded_order_id as order_id,
        dated.line_number,
        case
            when dated.order_id is null then 'shop:' || dated.customer_id
            else orders.customer_id
        end as customer_id,
        dated.refunded_at,
        dated.refund_date,
        dated.amount,
        -- Many systems write returned pieces with a minus; the money says what it is.
        abs(dated.quantity) as quantity,
        dated.reason,
        case
            when dated.amount <= 0 then 'amount_not_positive'
            when dated.amount > dated.largest_line_amount then 'amount_out_of_range'
            when dated.day_reason is not null then dated.day_reason
            when dated.order_id is null and dated.customer_id is null
                then 'credit_note_without_customer'
            when dated.order_id is null then null
            when orders.order_id is null then 'unknown_order'
            when orders.rejection_reason is not null then 'order_not_accepted'
            when orders_with_lines.order_id is null then 'order_without_lines'
            when dated.line_number is not null and refunded_lines.line_number is null
                then 'unknown_line'
            -- Else a fact dated later would bring an earlier refund to life and change the past.
            when dated.refund_date < orders.order_date then 'refunded_before_order'
        end as rejection_reason,
        dated._delivery_id as delivery_id,
        dated._row_number as row_number
    from dated
    left join orders
        on dated.refunded_order_id = orders.order_id
    left join orders_with_lines
        on dated.refunded_order_id = orders_with_lines.order_id
    left join refunded_lines
        on
            dated.refunded_order_id = refunded_lines.order_id
            and dated.line_number = refunded_lines.line_number

)

select * from judged
