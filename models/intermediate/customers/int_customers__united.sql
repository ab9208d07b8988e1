-- Grain: one row per customer that any source knows of, and since when.
-- Master data may come late or never: whoever ordered, was credited, interacted or was contacted
-- is a customer too.
with

delivered_customers as (
    {{ union_sources('customers', [
        'customer_id', 'customer_type', 'country', 'region', 'city', 'industry',
        'annual_revenue', 'birth_date',
        'preferred_contact_channel', 'acquisition_channel', 'registered_at', 'verified_at',
        'registered_date', 'verified_date'
    ]) }}
),

contacts as (
    {{ union_sources('campaign_contacts', [
        'customer_id', 'contacted_at', 'contact_date', 'rejection_reason'
    ]) }}
),

orders as (
    select * from {{ ref('int_orders__united') }}
),

credit_notes as (
    select * from {{ ref('int_refunds__united') }}
    where order_id is null
),

interactions as (
    select * from {{ ref('int_interactions__united') }}
),

interaction_types as (
    select * from {{ ref('interaction_types') }}
),

events as (

    select
        source,
        customer_id,
        registered_at as event_at,
        registered_date as event_date,
        true as is_activation
    from delivered_customers

    union all

    select
        source,
        customer_id,
        verified_at as event_at,
        verified_date as event_date,
        true as is_activation
    from delivered_customers

    union all

    select
        source,
        customer_id,
        ordered_at as event_at,
        order_date as event_date,
        true as is_activation
    from orders
    where customer_id is not null

    union all

    select
        source,
        customer_id,
        refunded_at as event_at,
        refund_date as event_date,
        false as is_activation
    from credit_notes

    union all

    select
        interactions.source,
        interactions.customer_id,
        interactions.occurred_at as event_at,
        interactions.interaction_date as event_date,
        interaction_types.is_activation
    from interactions
    inner join interaction_types
        on interactions.interaction_type = interaction_types.interaction_type

    union all

    select
        source,
        customer_id,
        contacted_at as event_at,
        contact_date as event_date,
        false as is_activation
    from contacts
    where rejection_reason is null

),

first_events as (

    select
        source,
        customer_id,
        min(event_date) as known_since,
        min(case when is_activation then event_at end) as activated_at,
        min(case when is_activation then event_date end) as activated_date
    from events
    group by source, customer_id

),

customers as (

    select
        first_events.source,
        first_events.customer_id,
        delivered_customers.customer_type,
        delivered_customers.country,
        delivered_customers.region,
        delivered_customers.city,
        delivered_customers.industry,
        delivered_customers.annual_revenue,
        delivered_customers.birth_date,
        delivered_customers.preferred_contact_channel,
        delivered_customers.acquisition_channel,
        delivered_customers.registered_at,
        delivered_customers.registered_date,
        first_events.known_since,
        first_events.activated_at,
        first_events.activated_date,
        delivered_customers.customer_id is not null as has_master_data
    from first_events
    left join delivered_customers
        on first_events.customer_id = delivered_customers.customer_id

)

select * from customers
