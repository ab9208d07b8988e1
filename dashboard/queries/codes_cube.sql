-- The same as `codes`, by what customers can be filtered by too.
with

people as (

    select customer_id, {column}, net_revenue_12m, clv_predicted, 1 as counted
    from {population}
    union all
    select customer_id, {column}, net_revenue_12m, null as clv_predicted, -1 as counted
    from {before}

),

-- Other columns of the profiles have names of the segments' columns.
profiles as (

    select customer_id, country, customer_type, channel_preference
    from marts.main.customer_profiles

),

together as (

    select
        {column},
        coalesce(profiles.country, 'unknown') as country,
        profiles.customer_type,
        profiles.channel_preference,
        count(*) filter (where counted = 1) as customers,
        coalesce(sum(net_revenue_12m) filter (where counted = 1), 0) as net_revenue_12m,
        sum(clv_predicted) as clv_predicted,
        sum(counted) as customers_change,
        coalesce(sum(counted * net_revenue_12m), 0) as net_revenue_12m_change
    from people
    inner join profiles on people.customer_id = profiles.customer_id
    group by all

),

each_one as (

    select * from together
    unpivot include nulls (code for dimension in ({column}))

)

select
    dimension,
    code,
    country,
    customer_type,
    channel_preference,
    sum(customers)::bigint as customers,
    sum(net_revenue_12m) as net_revenue_12m,
    sum(clv_predicted) as clv_predicted,
    case when $before is not null then sum(customers_change)::bigint end as customers_change,
    case when $before is not null then sum(net_revenue_12m_change) end as net_revenue_12m_change
from each_one
group by all
