-- A forecast has all its parts or none: who is scored has a chance of being there, orders, their worth
-- and an interval in order; a discounted year is worth no more than its orders undiscounted.
with

customer_clv as (
    select * from {{ ref('customer_clv') }}
)

select customer_id
from customer_clv
where
    (clv_status in ('fitted', 'previous_parameters')) <> (clv_predicted is not null)
    or (clv_predicted is null) <> (p_alive is null)
    or (clv_predicted is null) <> (expected_orders is null)
    or (clv_predicted is null) <> (expected_order_value is null)
    or (clv_predicted is null) <> (clv_lower is null)
    or (clv_predicted is null) <> (clv_upper is null)
    or clv_lower > clv_upper
    or clv_lower < 0
    or not coalesce(p_alive between 0 and 1, true)
    or expected_orders < 0
    or cast(clv_predicted as double)
    > expected_orders * (cast(expected_order_value as double) + 0.01) + 0.01
    or expected_next_order_date < as_of_date
