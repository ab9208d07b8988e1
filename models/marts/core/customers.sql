-- Grain: one row per customer that exists at the newest as-of.
with

customers as (
    select * from {{ ref('int_customers__united') }}
),

measures as (
    select * from {{ ref('int_customers__measures') }}
    where is_newest
),

current_customers as (

    select
        measures.as_of_date,
        measures.customer_id,
        customers.source,
        customers.customer_type,
        customers.country,
        customers.region,
        customers.city,
        customers.industry,
        customers.preferred_contact_channel,
        customers.acquisition_channel,
        customers.has_master_data,
        customers.known_since,
        case
            when customers.registered_date <= measures.as_of_date
                then customers.registered_at
        end as registered_at,
        case
            when customers.activated_date <= measures.as_of_date
                then customers.activated_at
        end as activated_at,
        measures.first_order_date,
        measures.last_order_date,
        cast(measures.orders_to_date as bigint) as orders_to_date
    from measures
    inner join customers
        on measures.customer_id = customers.customer_id

)

select * from current_customers
