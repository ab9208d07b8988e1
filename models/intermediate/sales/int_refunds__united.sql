-- Grain: one row per accepted refund or credit note of any source, in base currency.
with

refunds as (
    {{ union_sources('refunds', [
        'refund_id', 'order_id', 'line_number', 'customer_id', 'refunded_at', 'refund_date',
        'amount', 'quantity', 'reason', 'rejection_reason'
    ]) }}
),

orders as (
    select * from {{ ref('int_orders__united') }}
    where {{ is_touched('order_id', ref('int_orders__touched')) }}
),

increment as (
    select * from {{ ref('stg_control__increment') }}
),

valued_refunds as (

    select
        refunds.source,
        refunds.refund_id,
        refunds.order_id,
        refunds.line_number,
        refunds.customer_id,
        refunds.refunded_at,
        refunds.refund_date,
        refunds.quantity,
        refunds.reason,
        -- At its order's rate; a credit note has no order and is in base currency.
        {{ round_money(
            'refunds.amount', 'coalesce(orders.exchange_rate, cast(1 as decimal(12, 6)))'
        ) }} as refund_amount
    from refunds
    cross join increment
    left join orders
        on refunds.order_id = orders.order_id
    where
        refunds.rejection_reason is null
        -- As an inequality the planner takes it for a choice among all days.
        and least(refunds.refund_date, increment.last_day) = refunds.refund_date
        and {{ is_touched(
            'coalesce(refunds.order_id, refunds.refund_id)', ref('int_orders__touched')
        ) }}

)

select * from valued_refunds
