-- Who is high value by spend, frequency and margin?
select
    customer_id,
    net_revenue_12m,
    spend_band,
    orders_12m,
    frequency_band,
    round(margin_rate_12m, 3) as margin_rate_12m,
    margin_band,
    value_points
from customer_value
where value_tier = 'high'
order by net_revenue_12m desc, customer_id asc
limit 20;

-- Who holds the first 80% of revenue (A)?
-- `running_share` is what the customer and those above it bring of the customers' revenue.
with

shares as (

    select
        customer_id,
        abc_class,
        net_revenue_12m,
        sum(net_revenue_12m)
            over (order by net_revenue_12m desc, customer_id asc)
        / sum(net_revenue_12m) over () as running_share
    from customer_value
    where net_revenue_12m > 0

)

select
    customer_id,
    net_revenue_12m,
    round(running_share, 4) as running_share,
    count(*) over () as customers_of_class_a
from shares
where abc_class = 'A'
order by net_revenue_12m desc, customer_id asc
limit 20;
