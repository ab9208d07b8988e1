-- From the export to the feeds of the source `shop`. Copy this file and change it to your columns.
-- Everything is read as text: a type that is guessed drops leading zeros and turns days and months.
create temp table export as
select
    *,
    row_number() over (partition by "订单编号" order by position) as line_number
from (
    select
        *,
        row_number() over () as position
    from read_csv('mine/export.csv', all_varchar = true, header = true)
);

-- Money without its sign and separators; net of 13% tax, since revenue is counted without it.
create temp macro money(written) as
    cast(replace(replace(nullif(written, ''), '¥', ''), ',', '') as decimal(18, 6));
create temp macro net(written) as cast(money(written) / 1.13 as decimal(18, 6));
-- The shop writes local time; with the offset nobody has to know.
create temp macro moment(written) as
    strftime(strptime(nullif(written, ''), '%Y/%-m/%-d %-H:%M'), '%Y-%m-%d %H:%M:%S') || '+08:00';

copy (
    select
        "订单编号" as order_id,
        nullif(min("买家账号"), '') as customer_id,
        moment(min("下单时间")) as ordered_at,
        -- A state that is not named here stays as it is, and the order is rejected with it.
        case min("订单状态")
            when '交易成功' then 'completed'
            when '待付款' then 'pending'
            when '已取消' then 'cancelled'
            else min("订单状态")
        end as status,
        'online' as channel
    from export
    group by "订单编号"
    order by "订单编号"
) to 'mine/landing/shop/orders/2026-06.csv' (header);

copy (
    select
        "订单编号" as order_id,
        line_number,
        "商品编码" as product_id,
        "数量" as quantity,
        net("单价(含税)") as unit_price,
        net("优惠") as discount_amount
    from export
    order by "订单编号", line_number
) to 'mine/landing/shop/order_lines/2026-06.csv' (header);

copy (
    select
        "商品编码" as product_id,
        min("商品名称") as product_name,
        min("类目") as category
    from export
    group by "商品编码"
    order by "商品编码"
) to 'mine/landing/shop/products/2026-06.csv' (header);

copy (
    select
        "订单编号" || '-' || line_number as refund_id,
        "订单编号" as order_id,
        line_number,
        moment("退款时间") as refunded_at,
        net("退款金额") as amount
    from export
    where "退款金额" <> ''
    order by refund_id
) to 'mine/landing/shop/refunds/2026-06.csv' (header);
