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

rejected_orders as (
    select * from {{ ref('stg_shop__orders') }}
    where
        rejection_reason is not null
        and {{ is_touched('order_id', ref('stg_shop__touched_orders')) }}
),

fact_settings as (
    select * from {{ ref('stg_rules__fact_settings') }}
),

-- Lines of one delivery that all have numbers of their own set as many bits as they are; few orders
-- fall under suspicion for nothing.
orders_of_lines as (

    select
        order_id,
        min(_delivery_id) < max(_delivery_id)
        or bit_count(
            bit_or(cast(power(2, abs(mod(line_number, 62))) as bigint))
        ) < count(*) as may_repeat_lines
    from {{ source('shop', 'order_lines') }}
    where {{ is_touched('order_id', ref('stg_shop__touched_orders'), 'touched_key') }}
    group by order_id

),

-- By keys alone, and then only the few are looked up for every line: that saves a join of all lines
-- with all orders.
unknown_orders as (

    select orders_of_lines.order_id
    from orders_of_lines
    left join orders
        on 'shop:' || orders_of_lines.order_id = orders.order_id
    where orders.order_id is null

),

repeated_lines as (

    select
        order_id,
        line_number,
        updated_at,
        _delivery_id,
        _row_number,
        max(updated_at) over (partition by order_id, _delivery_id)
            as newest_updated_at
    from {{ source('shop', 'order_lines') }}
    where order_id in (
        select orders_of_lines.order_id
        from orders_of_lines
        where orders_of_lines.may_repeat_lines
    )

),

ranked_lines as (

    select
        _delivery_id,
        _row_number,
        rank() over (
            partition by order_id
            order by newest_updated_at desc nulls last, _delivery_id desc nulls last
        ) as delivery_rank,
        row_number() over (
            partition by order_id, _delivery_id, line_number
            order by updated_at desc nulls last, _row_number desc nulls last
        ) as line_rank
    from repeated_lines

),

superseded_lines as (

    select
        _delivery_id,
        _row_number
    from ranked_lines
    where delivery_rank > 1 or line_rank > 1

),

judged as (

    select
        'shop:' || revisions.order_id as order_id,
        revisions.line_number,
        'shop:' || revisions.product_id as product_id,
        revisions.quantity,
        revisions.unit_price,
        coalesce(revisions.discount_amount, 0) as discount_amount,
        revisions.unit_cost,
        case
            when rejected_orders.order_id is not null then 'order_not_accepted'
            when unknown_orders.order_id is not null then 'unknown_order'
            when
                abs(cast(revisions.quantity as double))
                * greatest(
                    abs(cast(revisions.unit_price as double)),
                    abs(coalesce(cast(revisions.unit_cost as double), 0))
                ) > cast(fact_settings.largest_line_amount as double)
                or abs(revisions.discount_amount)
                > fact_settings.largest_line_amount
                then 'amount_out_of_range'
        end as rejection_reason,
        revisions._delivery_id as delivery_id,
        revisions._row_number as row_number
    from revisions
    cross join fact_settings
    left join unknown_orders
        on revisions.order_id = unknown_orders.order_id
    left join rejected_orders
        on 'shop:' || revisions.order_id = rejected_orders.order_id
    left join superseded_lines
        on
            revisions._delivery_id = superseded_lines._delivery_id
            and revisions._row_number = superseded_lines._row_number
    where superseded_lines._row_number is null

)

select * from judged
