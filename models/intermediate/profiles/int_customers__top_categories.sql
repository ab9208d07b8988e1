-- Grain: one row per customer that bought of a known category in 12 months, the best three (P2).
-- Ties go to the category with more lines, then to the name, so that nothing depends on chance.
with

purchases as (
    select * from {{ ref('int_customers__purchases') }}
    where category <> ''
),

categories as (

    select
        customer_id,
        category,
        sum(net_revenue) as net_revenue,
        sum(line_count) as line_count
    from purchases
    group by customer_id, category
    -- What was all given back is not what the customer buys.
    having sum(net_revenue) > 0

),

ranked_categories as (

    select
        customer_id,
        category,
        row_number() over (
            partition by customer_id
            order by
                net_revenue desc nulls last,
                line_count desc nulls last,
                category asc nulls last
        ) as place
    from categories

),

top_categories as (

    select
        customer_id,
        max(case when place = 1 then category end) as top_category_1,
        max(case when place = 2 then category end) as top_category_2,
        max(case when place = 3 then category end) as top_category_3
    from ranked_categories
    where place <= 3
    group by customer_id

)

select * from top_categories
