-- Grain: one row per month-end and customer with an entry of the ledger in the month that it ends.
with

rescorings as (
    select * from {{ ref('int_rescorings') }}
    where purpose = 'migration'
),

ledger as (
    select * from {{ ref('int_sales_ledger') }}
    where customer_id is not null
),

orders as (
    select * from {{ ref('int_orders__valued') }}
    where customer_id is not null and is_countable
),

entries as (

    select
        rescorings.scored_as_of,
        ledger.customer_id,
        sum(ledger.net_amount) as net_amount,
        count(*) filter (where ledger.entry_type <> 'order_line') as refunds
    from ledger
    inner join rescorings
        on last_day(ledger.ledger_date) = rescorings.scored_as_of
    group by rescorings.scored_as_of, ledger.customer_id

),

new_orders as (

    select
        rescorings.scored_as_of,
        orders.customer_id,
        count(*) as orders
    from orders
    inner join rescorings
        on last_day(orders.order_date) = rescorings.scored_as_of
    where orders.voided_on is null or orders.voided_on > rescorings.scored_as_of
    group by rescorings.scored_as_of, orders.customer_id

),

month_facts as (

    select
        entries.scored_as_of,
        entries.customer_id,
        entries.refunds > 0 and entries.net_amount <= 0 as is_refunded,
        coalesce(new_orders.orders, 0) > 0 as has_ordered
    from entries
    left join new_orders
        on
            entries.scored_as_of = new_orders.scored_as_of
            and entries.customer_id = new_orders.customer_id

)

select * from month_facts
