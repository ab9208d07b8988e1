-- The ledger is the accepted lines less the accepted refunds, re-derived here from
-- staging: an order's entries differ from its exact amount by no more than half a cent
-- a line, a refund's by no more than half a cent.
with

orders as (
    {{ union_sources('orders', [
        'order_id', 'order_date', 'exchange_rate', 'discount_amount', 'rejection_reason'
    ]) }}
),

order_lines as (
    {{ union_sources('order_lines', [
        'order_id', 'quantity', 'unit_price', 'discount_amount', 'rejection_reason'
    ]) }}
),

refunds as (
    {{ union_sources('refunds', [
        'refund_id', 'order_id', 'refund_date', 'amount', 'rejection_reason'
    ]) }}
),

increment as (
    select * from {{ ref('stg_control__increment') }}
),

ledger as (
    select * from {{ ref('int_sales_ledger') }}
),

accepted_orders as (

    select
        orders.order_id,
        cast(orders.exchange_rate as double) as exchange_rate,
        cast(orders.discount_amount as double) as discount_amount
    from orders
    inner join increment
        on orders.order_date <= increment.last_day
    where orders.rejection_reason is null

),

gross_amounts as (

    select
        order_id,
        count(*) as line_count,
        sum(
            cast(quantity as double) * cast(unit_price as double)
            - cast(discount_amount as double)
        ) as amount,
        max(
            cast(quantity as double) * cast(unit_price as double)
            - cast(discount_amount as double)
        ) as largest_amount
    from order_lines
    where rejection_reason is null
    group by order_id

),

expected_entries as (

    -- An order without a positive line has nothing that its discount could lower.
    select
        'order:' || gross_amounts.order_id as entry,
        (
            gross_amounts.amount
            - case
                when gross_amounts.largest_amount > 0
                    then accepted_orders.discount_amount
                else 0
            end
        ) * accepted_orders.exchange_rate as amount,
        gross_amounts.line_count as rounded_amounts
    from gross_amounts
    inner join accepted_orders
        on gross_amounts.order_id = accepted_orders.order_id

    union all

    select
        'refund:' || refunds.refund_id as entry,
        -cast(refunds.amount as double) * coalesce(accepted_orders.exchange_rate, 1)
            as amount,
        1 as rounded_amounts
    from refunds
    inner join increment
        on refunds.refund_date <= increment.last_day
    left join accepted_orders
        on refunds.order_id = accepted_orders.order_id
    where refunds.rejection_reason is null

),

ledger_entries as (

    select
        coalesce('refund:' || refund_id, 'order:' || order_id) as entry,
        cast(sum(net_amount) as double) as amount
    from ledger
    group by coalesce('refund:' || refund_id, 'order:' || order_id)

)

select coalesce(expected_entries.entry, ledger_entries.entry) as entry
from expected_entries
full outer join ledger_entries
    on expected_entries.entry = ledger_entries.entry
where
    expected_entries.entry is null
    -- What rounds to nothing needs no entry.
    or abs(expected_entries.amount - coalesce(ledger_entries.amount, 0))
    > 0.005 * expected_entries.rounded_amounts + 0.001
