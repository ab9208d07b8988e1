-- Grain: one row per fit date and customer with a counted order by then, what the models see of it.
with

purchases as (
    select * from {{ ref('int_clv__purchases') }}
),

customers as (
    select * from {{ ref('int_customers__united') }}
),

bases as (
    select * from {{ ref('int_clv__bases') }}
),

histories as (

    select
        purchases.fit_date,
        customers.source,
        purchases.customer_id,
        purchases.frequency,
        cast({{ dbt.datediff(
            'purchases.first_order_date', 'purchases.last_order_date', 'day'
        ) }} as int) as recency_days,
        cast({{ dbt.datediff(
            'purchases.first_order_date', 'purchases.fit_date', 'day'
        ) }} as int) as age_days,
        bases.clv_basis,
        -- Whole cents over whole days; what brought nothing in is worth nothing, not less.
        greatest(
            cast(
                100 * case
                    when bases.clv_basis = 'margin' then purchases.repeat_margin
                    else purchases.repeat_revenue
                end as double
            ) / nullif(cast(100 * purchases.frequency as double), 0),
            cast(0 as double)
        ) as mean_spend
    from purchases
    inner join customers
        on purchases.customer_id = customers.customer_id
    inner join bases
        on
            purchases.fit_date = bases.fit_date
            and customers.source = bases.source

)

select * from histories
