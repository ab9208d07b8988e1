-- No customer's measures know of an order after the as-of: recency is never negative.
with

measures as (
    select * from {{ ref('int_customers__measures') }}
)

select
    as_of_date,
    customer_id
from measures
where
    recency_days < 0
    or last_order_date > as_of_date
    or first_order_date > last_order_date
    or frequency > orders_to_date
    or orders_12m > orders_to_date
