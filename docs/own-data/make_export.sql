-- A stand-in for a web shop's export, so that the guide can be followed without one: 80 buyers and some guests over
-- 14 months, as such exports come: words for states, prices with a sign and tax, local times without a zone.
copy (
    with

    baskets as (
        select
            buyer,
            basket,
            timestamp '2025-05-01 00:00' + to_minutes(
                cast((buyer * 7919 + basket * 104729) % (425 * 1440) as integer)
            ) as placed_at,
            (buyer + basket) % 25 as lot
        from generate_series(1, 84) as buyers (buyer)
        cross join generate_series(1, 12) as baskets (basket)
        where basket <= 1 + buyer * 7 % 12
    ),

    lines as (
        select
            baskets.*,
            line,
            (buyer * 3 + basket + line) % 6 as article,
            1 + (buyer + line) % 3 as pieces
        from baskets
        cross join generate_series(1, 2) as lines (line)
        where line <= 1 + (buyer + basket) % 2
    )

    select
        'D' || lpad(cast(buyer * 100 + basket as varchar), 6, '0') as "订单编号",
        strftime(placed_at, '%Y/%-m/%-d %-H:%M') as "下单时间",
        case when buyer <= 80 then '买家' || lpad(cast(buyer as varchar), 3, '0') else '' end
            as "买家账号",
        case lot when 0 then '已取消' when 1 then '待付款' else '交易成功' end as "订单状态",
        'P' || article as "商品编码",
        ['绿茶', '红茶', '茶杯', '茶壶', '礼盒', '茶漏'][article + 1] as "商品名称",
        ['茶叶', '茶叶', '茶具', '茶具', '礼品', '茶具'][article + 1] as "类目",
        pieces as "数量",
        printf('¥%,.2f', [88.0, 128.0, 45.2, 1299.0, 565.0, 22.6][article + 1]) as "单价(含税)",
        case when lot = 2 then printf('¥%,.2f', 10.0) else '' end as "优惠",
        case when lot = 3 and line = 1 then printf('¥%,.2f', 22.6) else '' end as "退款金额",
        case when lot = 3 and line = 1
            then strftime(placed_at + interval 3 day, '%Y/%-m/%-d %-H:%M') else ''
        end as "退款时间"
    from lines
    order by placed_at, "订单编号", line
) to 'mine/export.csv' (header);
