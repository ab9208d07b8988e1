-- The cost that refunds bring back of a line lies between nothing and the line's cost.
with

order_lines as (
    select * from {{ ref('int_order_lines__valued') }}
),

returned_costs as (

    select
        order_id,
        line_number,
        sum(returned_cost_amount) as returned_cost_amount
    from {{ ref('int_refunds__allocated') }}
    group by order_id, line_number

)

select
    returned_costs.order_id,
    returned_costs.line_number
from returned_costs
left join order_lines
    on
        returned_costs.order_id = order_lines.order_id
        and returned_costs.line_number = order_lines.line_number
where
    order_lines.order_id is null
    or returned_costs.returned_cost_amount > greatest(order_lines.cost_amount, 0)
    or returned_costs.returned_cost_amount < least(order_lines.cost_amount, 0)
    or (
        returned_costs.returned_cost_amount is not null
        and order_lines.cost_amount is null
    )
