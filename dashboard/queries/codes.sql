-- One row per code of a dimension: customers and money, now and at the month-end before.
with

now as (

    select
        {column} as code,
        count(*) as customers,
        coalesce(sum(net_revenue_12m), 0) as net_revenue_12m,
        sum(clv_predicted) as clv_predicted
    from {population}
    group by all

),

earlier as (

    select
        {column} as code,
        count(*) as customers,
        coalesce(sum(net_revenue_12m), 0) as net_revenue_12m
    from {before}
    group by all

)

select
    coalesce(now.code, earlier.code) as code,
    coalesce(now.customers, 0) as customers,
    coalesce(now.net_revenue_12m, 0) as net_revenue_12m,
    now.clv_predicted,
    case
        when $before is not null
            then coalesce(now.customers, 0) - coalesce(earlier.customers, 0)
    end as customers_change,
    case
        when $before is not null
            then coalesce(now.net_revenue_12m, 0) - coalesce(earlier.net_revenue_12m, 0)
    end as net_revenue_12m_change
from now
full outer join earlier on now.code is not distinct from earlier.code
