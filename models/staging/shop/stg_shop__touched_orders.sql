-- Grain: one row per order, or credit note without one, that deliveries since the published version
-- touch.
-- An order is touched by any new revision of its own, of its lines or of its refunds, also of a
-- refund that an older revision gave to another order, and by a changed cost of a product whose
-- lines bring none. The earliest date is the first day that may look different now.
with

increment as (
    select * from {{ ref('stg_control__increment') }}
    where not is_full_rebuild
),

orders as (
    select * from {{ source('shop', 'orders') }}
),

order_lines as (
    select * from {{ source('shop', 'order_lines') }}
),

refunds as (
    select * from {{ source('shop', 'refunds') }}
),

products as (
    select * from {{ source('shop', 'products') }}
),

fact_settings as (
    select * from {{ ref('stg_rules__fact_settings') }}
),

revised_products as (

    select products.product_id
    from products
    inner join increment
        on products._delivery_id > increment.since_delivery_id
    group by products.product_id

),

product_revisions as (

    select
        products.*,
        products._delivery_id <= increment.since_delivery_id as is_published
    from products
    inner join revised_products
        on products.product_id = revised_products.product_id
    cross join increment

),

ranked_products as (

    select
        product_id,
        unit_cost,
        is_published,
        {{ revision_rank(['product_id']) }} as rank_now,
        {{ revision_rank(['product_id', 'is_published']) }} as rank_before
    from product_revisions

),

published_products as (

    select
        product_id,
        unit_cost,
        rank_now
    from ranked_products
    where is_published and rank_before = 1

),

-- Each new revision that ever held, and not only the newest: a cost that went up and back again may
-- have been built upon in between, by a run that failed or was rolled back.
changed_products as (

    select ranked_products.product_id
    from ranked_products
    left join published_products
        on ranked_products.product_id = published_products.product_id
    where
        not ranked_products.is_published
        and (
            published_products.rank_now is null
            or ranked_products.rank_now < published_products.rank_now
        )
        and ranked_products.unit_cost is distinct from published_products.unit_cost
    group by ranked_products.product_id

),

revised_orders as (

    select orders.order_id
    from orders
    inner join increment
        on orders._delivery_id > increment.since_delivery_id

    union

    select order_lines.order_id
    from order_lines
    inner join increment
        on order_lines._delivery_id > increment.since_delivery_id

    union

    select order_lines.order_id
    from order_lines
    inner join changed_products
        on order_lines.product_id = changed_products.product_id
    where order_lines.unit_cost is null

),

revised_refunds as (

    select refunds.refund_id
    from refunds
    inner join increment
        on refunds._delivery_id > increment.since_delivery_id
    group by refunds.refund_id

),

touched as (

    select
        revised_orders.order_id as touched_key,
        orders.ordered_at as touched_at
    from revised_orders
    left join orders
        on revised_orders.order_id = orders.order_id

    union all

    select
        coalesce(refunds.order_id, refunds.refund_id) as touched_key,
        refunds.refunded_at as touched_at
    from refunds
    inner join revised_refunds
        on refunds.refund_id = revised_refunds.refund_id

),

touched_orders as (

    select
        'shop:' || touched.touched_key as touched_id,
        touched.touched_key,
        min({{ business_date('touched.touched_at') }}) as earliest_date
    from touched
    cross join fact_settings
    group by touched.touched_key

)

select * from touched_orders
