-- One row per code of the dimensions asked for: customers and money, and their change since the
-- month-end before. Customers are read once for all dimensions.
with

people as (

    select {column}, {attributes} net_revenue_12m, clv_predicted, 1 as counted
    from {population} {with_attributes}
    union all
    select {column}, {attributes} net_revenue_12m, null as clv_predicted, -1 as counted
    from {before} {with_attributes}

),

together as (

    select
        {column},
        {attributes}
        count(*) filter (where counted = 1) as customers,
        coalesce(sum(net_revenue_12m) filter (where counted = 1), 0) as net_revenue_12m,
        sum(clv_predicted) as clv_predicted,
        sum(counted) as customers_change,
        coalesce(sum(counted * net_revenue_12m), 0) as net_revenue_12m_change
    from people
    group by all

),

each_one as (

    select * from together
    unpivot include nulls (code for dimension in ({column}))

)

select
    dimension,
    code,
    {attributes}
    sum(customers)::bigint as customers,
    sum(net_revenue_12m) as net_revenue_12m,
    sum(clv_predicted) as clv_predicted,
    case when $before is not null then sum(customers_change)::bigint end as customers_change,
    case when $before is not null then sum(net_revenue_12m_change) end as net_revenue_12m_change
from each_one
group by all
