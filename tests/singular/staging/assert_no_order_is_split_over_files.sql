-- No order is split over files: its winning delivery has every line number that any other
-- delivery had. A warning and not an error: a line may rightly be taken off an order, or an
-- older state of it arrive late, which looks the same. But a shop that delivers changed
-- lines only, or one order in two files, loses lines by the rule that one delivery holds
-- whole, and would learn it nowhere else.
{{ config(severity='warn') }}

with

revisions as (
    select * from {{ source('shop', 'order_lines') }}
),

order_lines as (
    select * from {{ ref('stg_shop__order_lines') }}
),

winning_deliveries as (

    select
        order_id,
        max(delivery_id) as delivery_id
    from order_lines
    group by order_id

)

select winning_deliveries.order_id
from revisions
inner join winning_deliveries
    on
        'shop:' || revisions.order_id = winning_deliveries.order_id
        and revisions._delivery_id <> winning_deliveries.delivery_id
left join order_lines
    on
        winning_deliveries.order_id = order_lines.order_id
        and revisions.line_number = order_lines.line_number
where order_lines.order_id is null
group by winning_deliveries.order_id
