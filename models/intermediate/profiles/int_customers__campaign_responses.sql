-- Grain: one row per customer at the newest as-of, its campaigns of 12 months (P2).
-- The control arm was chosen and not contacted.
with

customers as (
    select * from {{ ref('int_customers__at_as_of') }}
    where is_newest
),

settings as (
    select * from {{ ref('int_settings__by_as_of') }}
),

contacts as (
    {{ union_sources('campaign_contacts', [
        'campaign_id', 'customer_id', 'arm', 'contact_date', 'rejection_reason'
    ]) }}
),

activities as (
    select * from {{ ref('int_interactions__united') }}
    where interaction_type = 'campaign_activity'
),

told_facts as (
    select * from {{ ref('int_sources__told_facts') }}
),

counted_contacts as (

    select
        customers.customer_id,
        count(distinct contacts.campaign_id) as campaigns_contacted_12m
    from customers
    inner join settings
        on customers.as_of_date = settings.as_of_date
    inner join contacts
        on
            customers.customer_id = contacts.customer_id
            and customers.as_of_date >= contacts.contact_date
            and settings.after_12m < contacts.contact_date
    where contacts.rejection_reason is null and contacts.arm = 'treatment'
    group by customers.customer_id

),

counted_activities as (

    select
        customers.customer_id,
        count(*) as campaign_activities_12m
    from customers
    inner join settings
        on customers.as_of_date = settings.as_of_date
    inner join activities
        on
            customers.customer_id = activities.customer_id
            and customers.as_of_date >= activities.interaction_date
            and settings.after_12m < activities.interaction_date
    group by customers.customer_id

),

campaign_responses as (

    select
        customers.as_of_date,
        customers.customer_id,
        case
            when told_facts.tells_of_campaign_contacts
                then coalesce(counted_contacts.campaigns_contacted_12m, 0)
        end as campaigns_contacted_12m,
        case
            when told_facts.tells_of_campaign_activities
                then coalesce(counted_activities.campaign_activities_12m, 0)
        end as campaign_activities_12m
    from customers
    left join told_facts
        on customers.source = told_facts.source
    left join counted_contacts
        on customers.customer_id = counted_contacts.customer_id
    left join counted_activities
        on customers.customer_id = counted_activities.customer_id

)

select * from campaign_responses
