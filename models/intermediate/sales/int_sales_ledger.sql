-- Grain: one row per signed entry, a line of an order or what a refund takes back from one.
-- The one place that net revenue comes from, guests included.
with

order_lines as (
    select * from {{ ref('int_order_lines__valued') }}
),

allocated_refunds as (
    select * from {{ ref('int_refunds__allocated') }}
),

credit_notes as (
    select * from {{ ref('int_refunds__united') }}
    where order_id is null
),

entries as (

    select
        source,
        'line:' || order_id || ':' || cast(line_number as {{ dbt.type_string() }})
            as ledger_entry_id,
        order_date as ledger_date,
        case
            when quantity < 0 and unit_price > 0 then 'return_line'
            else 'order_line'
        end as entry_type,
        order_id,
        line_number,
        cast(null as {{ dbt.type_string() }}) as refund_id,
        customer_id,
        net_amount,
        cost_amount
    from order_lines

    union all

    select
        source,
        'refund:' || refund_id || ':' || cast(line_number as {{ dbt.type_string() }})
            as ledger_entry_id,
        refund_date as ledger_date,
        'refund' as entry_type,
        order_id,
        line_number,
        refund_id,
        customer_id,
        cast(-line_refund_amount as decimal(18, 2)) as net_amount,
        cast(-returned_cost_amount as decimal(18, 2)) as cost_amount
    from allocated_refunds

    union all

    select
        source,
        'credit_note:' || refund_id as ledger_entry_id,
        refund_date as ledger_date,
        'credit_note' as entry_type,
        order_id,
        line_number,
        refund_id,
        customer_id,
        cast(-refund_amount as decimal(18, 2)) as net_amount,
        cast(null as decimal(18, 2)) as cost_amount
    from credit_notes

)

select * from entries
