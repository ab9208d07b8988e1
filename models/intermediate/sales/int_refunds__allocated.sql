-- Grain: one row per refund of an order and line of that order which it touches.
-- A line's refund stays on its line; an order's refund is spread over the positive lines by amount,
-- cut to the cent, what is left over on the largest. The refund with which a line or the order is
-- paid back in full brings the remaining cost back, a number of pieces brings theirs, and money
-- without pieces brings none. Refunds take effect in the order of their time.
with

refunds as (
    select * from {{ ref('int_refunds__united') }}
    where
        order_id is not null
        and {{ is_touched('order_id', ref('int_orders__touched')) }}
),

order_lines as (
    select * from {{ ref('int_order_lines__valued') }}
),

lines_of_refunded_orders as (

    select
        order_lines.order_id,
        order_lines.line_number,
        order_lines.customer_id,
        order_lines.quantity,
        order_lines.net_amount,
        order_lines.cost_amount,
        sum(order_lines.net_amount) over (partition by order_lines.order_id)
            as order_net_amount,
        sum(case when order_lines.net_amount > 0 then order_lines.net_amount else 0 end)
            over (partition by order_lines.order_id) as positive_amount,
        row_number() over (
            partition by order_lines.order_id
            order by
                order_lines.net_amount desc nulls last,
                order_lines.line_number asc nulls last
        ) = 1 as is_largest_line
    from order_lines
    where order_lines.order_id in (select refunds.order_id from refunds)

),

shares as (

    select
        refunds.source,
        refunds.refund_id,
        refunds.refunded_at,
        refunds.refund_date,
        refunds.refund_amount,
        refunds.line_number as refunded_line_number,
        order_lines.order_id,
        order_lines.line_number,
        order_lines.customer_id,
        order_lines.quantity,
        order_lines.net_amount,
        order_lines.cost_amount,
        order_lines.order_net_amount,
        order_lines.is_largest_line,
        case
            when refunds.line_number = order_lines.line_number
                then coalesce(refunds.quantity, 0)
            else 0
        end as refunded_quantity,
        case
            when refunds.line_number is not null or order_lines.net_amount <= 0 then 0
            else
                {{ integer_quotient(
                    'cast(refunds.refund_amount * 100 as decimal(19, 0)) '
                    ~ '* cast(order_lines.net_amount * 100 as decimal(18, 0))',
                    'cast(order_lines.positive_amount * 100 as decimal(18, 0))'
                ) }}
        end as share_cents
    from refunds
    inner join lines_of_refunded_orders as order_lines
        on refunds.order_id = order_lines.order_id

),

allocated as (

    select
        *,
        case
            when refunded_line_number = line_number then refund_amount
            when refunded_line_number is not null then cast(0 as decimal(18, 2))
            when is_largest_line
                then cast(
                    refund_amount
                    - (sum(share_cents) over (partition by refund_id) - share_cents)
                    * cast(0.01 as decimal(3, 2))
                    as decimal(18, 2)
                )
            else cast(share_cents * cast(0.01 as decimal(3, 2)) as decimal(18, 2))
        end as line_refund_amount
    from shares

),

running as (

    select
        *,
        sum(line_refund_amount) over line_so_far as line_refunded_so_far,
        sum(refunded_quantity) over line_so_far as quantity_so_far,
        sum(line_refund_amount) over (
            partition by order_id
            order by
                refund_date asc nulls first,
                refunded_at asc nulls first,
                refund_id asc nulls first
            range between unbounded preceding and current row
        ) as order_refunded_so_far
    from allocated
    window line_so_far as (
        partition by order_id, line_number
        order by
            refund_date asc nulls first,
            refunded_at asc nulls first,
            refund_id asc nulls first
        rows between unbounded preceding and current row
    )

),

costed as (

    select
        *,
        case
            when cost_amount is null then null
            when line_refunded_so_far >= net_amount and net_amount > 0 then cost_amount
            when order_refunded_so_far >= order_net_amount and order_net_amount > 0
                then cost_amount
            -- Rounded as whole cents: rounding a double to two places is not the same everywhere.
            else
                cast(
                    cast(
                        round(
                            cast(cost_amount * 100 as double)
                            * cast(
                                least(quantity_so_far, greatest(quantity, 0)) as double
                            )
                            / nullif(cast(quantity as double), 0)
                        ) as bigint
                    ) * cast(0.01 as decimal(3, 2)) as decimal(18, 2)
                )
        end as cost_returned_so_far
    from running

),

entries as (

    select
        source,
        refund_id,
        order_id,
        line_number,
        customer_id,
        refund_date,
        order_net_amount,
        line_refund_amount,
        cost_returned_so_far - coalesce(
            lag(cost_returned_so_far) over (
                partition by order_id, line_number
                order by
                    refund_date asc nulls first,
                    refunded_at asc nulls first,
                    refund_id asc nulls first
            ), 0
        ) as returned_cost_amount
    from costed

),

touching_entries as (

    select
        source,
        refund_id,
        order_id,
        line_number,
        customer_id,
        refund_date,
        order_net_amount,
        line_refund_amount,
        cast(returned_cost_amount as decimal(18, 2)) as returned_cost_amount
    from entries
    where line_refund_amount <> 0 or returned_cost_amount <> 0

)

select * from touching_entries
