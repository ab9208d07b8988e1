-- Grain: one row per invoice, and line of a credit note, once anything was delivered since the
-- published version.
-- Credit notes find their sales anew with every delivery, so a new file touches all of them.
with

increment as (
    select * from {{ ref('stg_control__increment') }}
    where not is_full_rebuild
),

invoice_lines as (
    select * from {{ ref('stg_online_retail__invoice_lines') }}
),

new_invoices as (

    select invoice_lines.invoice
    from invoice_lines
    inner join increment
        on invoice_lines.delivery_id > increment.since_delivery_id
    group by invoice_lines.invoice

),

new_day as (

    select min(invoice_lines.invoice_date) as earliest_date
    from invoice_lines
    inner join new_invoices
        on invoice_lines.invoice = new_invoices.invoice
    having count(*) > 0

),

touched as (

    select invoice_lines.order_id as touched_id
    from invoice_lines
    where not invoice_lines.is_credit

    union

    select invoice_lines.record_id as touched_id
    from invoice_lines
    where invoice_lines.is_credit

),

touched_orders as (

    select
        touched.touched_id,
        new_day.earliest_date
    from touched
    cross join new_day

)

select * from touched_orders
