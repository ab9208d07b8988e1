-- The groups B to E part the buyers of 12 months among themselves; A has none of them.
with

segments as (
    select * from {{ ref('int_customers__segments') }}
)

select
    as_of_date,
    customer_id
from segments
where
    order_value_group is null
    or (orders_12m = 0 and order_value_group <> 'A')
    or (orders_12m > 0 and order_value_group not in ('B', 'C', 'D', 'E'))
