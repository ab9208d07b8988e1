-- Grain: one row per accepted refund or credit note.
with

refunds as (
    select * from {{ ref('int_refunds__united') }}
    where {{ is_touched('coalesce(order_id, refund_id)', ref('int_orders__touched')) }}
),

published_refunds as (

    select
        refund_id,
        source,
        order_id,
        line_number,
        customer_id,
        refunded_at,
        refund_date,
        case when order_id is null then 'credit_note' else 'refund' end as refund_type,
        refund_amount,
        cast(quantity as decimal(18, 6)) as quantity,
        reason
    from refunds

)

select * from published_refunds
