-- Grain: one row per customer at the newest as-of, its portrait (P1, P2, N1, N2, L9).
with

attributes as (
    select * from {{ ref('int_customers__attributes') }}
),

measures as (
    select * from {{ ref('int_customers__measures') }}
    where is_newest
),

top_categories as (
    select * from {{ ref('int_customers__top_categories') }}
),

conversations as (
    select * from {{ ref('int_customers__conversations') }}
),

campaign_responses as (
    select * from {{ ref('int_customers__campaign_responses') }}
),

first_orders as (
    select * from {{ ref('int_customers__first_orders') }}
),

preferences as (
    select * from {{ ref('int_customers__preferences') }}
),

core_needs as (
    select * from {{ ref('int_customers__core_needs') }}
),

profiles as (

    select
        attributes.as_of_date,
        attributes.customer_id,
        attributes.customer_type,
        attributes.industry,
        attributes.revenue_band,
        attributes.age_band,
        attributes.country,
        attributes.region,
        attributes.preferred_contact_channel,
        measures.net_revenue_12m,
        cast(measures.orders_12m as bigint) as orders_12m,
        top_categories.top_category_1,
        top_categories.top_category_2,
        top_categories.top_category_3,
        preferences.online_share_12m,
        cast(conversations.consultations_12m as bigint) as consultations_12m,
        conversations.last_consultation_at,
        conversations.last_consultation_topic,
        cast(campaign_responses.campaigns_contacted_12m as bigint)
            as campaigns_contacted_12m,
        cast(campaign_responses.campaign_activities_12m as bigint)
            as campaign_activities_12m,
        cast(conversations.complaints_12m as bigint) as complaints_12m,
        conversations.top_complaint_topic_12m,
        first_orders.had_early_refund,
        first_orders.had_early_complaint,
        first_orders.first_order_csat,
        first_orders.has_second_order_90d,
        preferences.need_type,
        cast(preferences.need_signals_12m as bigint) as need_signals_12m,
        preferences.product_signal_share_12m,
        preferences.product_preference,
        preferences.premium_revenue_share_12m,
        preferences.channel_preference,
        core_needs.core_need,
        core_needs.is_core_need_default
    from attributes
    inner join measures
        on attributes.customer_id = measures.customer_id
    inner join preferences
        on attributes.customer_id = preferences.customer_id
    inner join core_needs
        on attributes.customer_id = core_needs.customer_id
    inner join conversations
        on attributes.customer_id = conversations.customer_id
    inner join campaign_responses
        on attributes.customer_id = campaign_responses.customer_id
    left join top_categories
        on attributes.customer_id = top_categories.customer_id
    left join first_orders
        on attributes.customer_id = first_orders.customer_id

)

select * from profiles
