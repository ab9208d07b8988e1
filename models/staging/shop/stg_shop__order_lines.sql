-- Grain: one row per line of an order of the shop, as the order's winning delivery holds it.
-- An order's lines are taken whole from one delivery, the one with its newest line: a line that is
-- missing there was taken off the order, which a line-by-line merge would never notice.
with

revisions as (
    select * from {{ source('shop', 'order_lines') }}
    where {{ is_touched('order_id', ref('stg_shop__touched_orders'), 'touched_key') }}
),

orders as (
    select * from {{ ref('stg_shop__orders') }}
    where {{ is_touched('order_id', ref('stg_shop__touched_orders')) }}
),

fact_settings as (
    select * from {{ ref('stg_rules__fact_settings') }}
),

deliveries_of_orders as (

    select
        order_id,
        _delivery_id,
        max(updated_at) as newest_updated_at
    from revisions
    group by order_id, _delivery_id

),

winning_deliveries as (

    select
        order_id,
        _delivery_id
    from deliveries_of_orders
    qualify row_number() over (
        partition by order_id
        order by newest_updated_at desc nulls last, _delivery_id desc nulls last
    ) = 1

),

winning_lines as (

    select revisions.*
    from revisions
    inner join winning_deliveries
        on
            revisions.order_id = winning_deliveries.order_id
            and revisions._delivery_id = winning_deliveries._delivery_id
    qualify row_number() over (
        partition by revisions.order_id, revisions.line_number
        order by
            revisions.updated_at desc nulls last,
            revisions._row_number desc nulls last
    ) = 1

),

judged as (

    select
        'shop:' || winning_lines.order_id as order_id,
        winning_lines.line_number,
        'shop:' || winning_lines.product_id as product_id,
        winning_lines.quantity,
        winning_lines.unit_price,
        coalesce(winning_lines.discount_amount, 0) as discount_amount,
        winning_lines.unit_cost,
        case
            when orders.order_id is null then 'unknown_order'
            when orders.rejection_reason is not null then 'order_not_accepted'
            when
                abs(cast(winning_lines.quantity as double))
                * greatest(
                    abs(cast(winning_lines.unit_price as double)),
                    abs(coalesce(cast(winning_lines.unit_cost as double), 0))
                ) > cast(fact_settings.largest_line_amount as double)
                or abs(winning_lines.discount_amount)
                > fact_settings.largest_line_amount
                then 'amount_out_of_range'
        end as rejection_reason,
        'shop:' || winning_lines.order_id || ':'
        || cast(winning_lines.line_number as {{ dbt.type_string() }}) as record_id,
        winning_lines._delivery_id as delivery_id,
        winning_lines._row_number as row_number
    from winning_lines
    cross join fact_settings
    left join orders
        on 'shop:' || winning_lines.order_id = orders.order_id

)

select * from judged
