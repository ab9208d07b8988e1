-- Grain: one row per as-of date and customer, the plain measures that every rule looks at.
-- Facts dated after the as-of do not exist for it; a voided order leaves every count whose as-of
-- lies on or after the day that voided it. Changes are summed up over the as-ofs, so that many cost
-- little more than one.
with

customers as (
    select * from {{ ref('int_customers__at_as_of') }}
),

order_changes as (
    select * from {{ ref('int_customers__order_changes') }}
),

revenue_changes as (
    select * from {{ ref('int_customers__revenue_changes') }}
),

category_changes as (
    select * from {{ ref('int_customers__category_changes') }}
),

summed_up as (

    select
        customers.as_of_date,
        customers.is_newest,
        customers.source,
        customers.customer_id,
        least(
            min(order_changes.first_order_date) over so_far,
            order_changes.first_voided_order_date
        ) as first_order_date,
        greatest(
            max(order_changes.last_order_date) over so_far,
            order_changes.last_voided_order_date
        ) as last_order_date,
        coalesce(sum(order_changes.orders_to_date_change) over so_far, 0)
            as orders_to_date,
        coalesce(sum(order_changes.frequency_change) over so_far, 0) as frequency,
        coalesce(sum(order_changes.orders_24m_change) over so_far, 0) as orders_24m,
        coalesce(sum(order_changes.orders_12m_change) over so_far, 0) as orders_12m,
        coalesce(sum(revenue_changes.net_revenue_to_date_change) over so_far, 0)
            as net_revenue_to_date,
        coalesce(sum(revenue_changes.covered_revenue_to_date_change) over so_far, 0)
            as covered_revenue_to_date,
        coalesce(sum(revenue_changes.cost_to_date_change) over so_far, 0)
            as cost_to_date,
        coalesce(sum(revenue_changes.covered_entries_to_date_change) over so_far, 0)
            as covered_entries_to_date,
        coalesce(sum(revenue_changes.monetary_change) over so_far, 0) as monetary,
        coalesce(sum(revenue_changes.net_revenue_12m_change) over so_far, 0)
            as net_revenue_12m,
        coalesce(sum(revenue_changes.net_revenue_6m_change) over so_far, 0)
            as net_revenue_6m,
        coalesce(sum(revenue_changes.covered_revenue_12m_change) over so_far, 0)
            as covered_revenue_12m,
        coalesce(sum(revenue_changes.cost_12m_change) over so_far, 0) as cost_12m,
        coalesce(sum(revenue_changes.covered_entries_12m_change) over so_far, 0)
            as covered_entries_12m,
        coalesce(sum(category_changes.known_categories_change) over so_far, 0)
            as known_categories,
        coalesce(sum(category_changes.unknown_categories_change) over so_far, 0)
            as unknown_categories
    from customers
    left join order_changes
        on
            customers.as_of_date = order_changes.as_of_date
            and customers.customer_id = order_changes.customer_id
    left join revenue_changes
        on
            customers.as_of_date = revenue_changes.as_of_date
            and customers.customer_id = revenue_changes.customer_id
    left join category_changes
        on
            customers.as_of_date = category_changes.as_of_date
            and customers.customer_id = category_changes.customer_id
    window so_far as (
        partition by customers.customer_id
        order by customers.as_of_date asc nulls first
        rows between unbounded preceding and current row
    )

),

measures as (

    select
        as_of_date,
        is_newest,
        source,
        customer_id,
        first_order_date,
        last_order_date,
        {{ dbt.datediff(
            'last_order_date', 'as_of_date', 'day'
        ) }} as recency_days,
        cast(orders_to_date as bigint) as orders_to_date,
        cast(frequency as bigint) as frequency,
        cast(orders_24m as bigint) as orders_24m,
        cast(orders_12m as bigint) as orders_12m,
        cast(net_revenue_to_date as decimal(18, 2)) as net_revenue_to_date,
        -- No line with a cost in the window: no margin, which is not a margin of zero.
        case
            when covered_entries_to_date > 0
                then cast(covered_revenue_to_date - cost_to_date as decimal(18, 2))
        end as margin_to_date,
        cast(monetary as decimal(18, 2)) as monetary,
        cast(net_revenue_12m as decimal(18, 2)) as net_revenue_12m,
        cast(net_revenue_6m as decimal(18, 2)) as net_revenue_6m,
        cast(covered_revenue_12m as decimal(18, 2)) as covered_revenue_12m,
        case
            when covered_entries_12m > 0
                then cast(covered_revenue_12m - cost_12m as decimal(18, 2))
        end as margin_12m,
        case
            when known_categories = 0 and unknown_categories > 0 then null
            else cast(known_categories as bigint)
        end as category_count_12m
    from summed_up

)

select * from measures
