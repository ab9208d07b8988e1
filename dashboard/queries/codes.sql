-- One row per code of the dimensions asked for: customers and money, now and at the month-end before.
-- Customers are read once for all of them.
with

now_together as (

    select
        {column},
        count(*) as customers,
        coalesce(sum(net_revenue_12m), 0) as net_revenue_12m,
        sum(clv_predicted) as clv_predicted
    from {population}
    group by {column}

),

now_each as (

    select * from now_together
    unpivot include nulls (code for dimension in ({column}))

),

now as (

    select
        dimension,
        code,
        sum(customers)::bigint as customers,
        sum(net_revenue_12m) as net_revenue_12m,
        sum(clv_predicted) as clv_predicted
    from now_each
    group by dimension, code

),

earlier_together as (

    select
        {column},
        count(*) as customers,
        coalesce(sum(net_revenue_12m), 0) as net_revenue_12m
    from {before}
    group by {column}

),

earlier_each as (

    select * from earlier_together
    unpivot include nulls (code for dimension in ({column}))

),

earlier as (

    select
        dimension,
        code,
        sum(customers)::bigint as customers,
        sum(net_revenue_12m) as net_revenue_12m
    from earlier_each
    group by dimension, code

)

select
    coalesce(now.dimension, earlier.dimension) as dimension,
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
full outer join
    earlier
    on now.dimension = earlier.dimension and now.code is not distinct from earlier.code
