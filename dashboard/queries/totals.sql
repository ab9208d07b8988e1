-- All customers of the choice, at its day and at the month-end before.
with

now as (

    select
        count(*) as customers,
        count(*) filter (where order_value_group <> 'A') as buyers_12m,
        coalesce(sum(net_revenue_12m), 0) as net_revenue_12m,
        sum(clv_predicted) as clv_predicted
    from {population}

),

earlier as (

    select
        count(*) as customers_before,
        count(*) filter (where order_value_group <> 'A') as buyers_12m_before,
        coalesce(sum(net_revenue_12m), 0) as net_revenue_12m_before,
        sum(clv_predicted) as clv_predicted_before
    from {before}

)

select
    now.customers,
    now.buyers_12m,
    now.net_revenue_12m,
    now.clv_predicted,
    earlier.customers_before,
    earlier.buyers_12m_before,
    earlier.net_revenue_12m_before,
    earlier.clv_predicted_before
from now
cross join earlier
