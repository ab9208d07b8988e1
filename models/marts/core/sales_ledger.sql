-- Grain: one row per signed entry of net revenue, guests included.
with

ledger as (
    select * from {{ ref('int_sales_ledger') }}
    where {{ is_touched('coalesce(order_id, refund_id)', ref('int_orders__touched')) }}
),

published_entries as (

    select
        ledger_entry_id,
        source,
        ledger_date,
        entry_type,
        order_id,
        line_number,
        refund_id,
        customer_id,
        net_amount,
        cost_amount
    from ledger

)

select * from published_entries
