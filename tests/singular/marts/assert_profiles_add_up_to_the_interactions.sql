-- Consultations, complaints and campaign activities of the profiles add up to those of the
-- last 12 months in interactions, in every source.
with

newest_settings as (

    select settings.*
    from {{ ref('int_settings__by_as_of') }} as settings
    inner join {{ ref('int_as_of_dates') }} as as_of_dates
        on settings.as_of_date = as_of_dates.as_of_date
    where as_of_dates.is_newest

),

profile_totals as (

    select
        customers.source,
        coalesce(sum(profiles.consultations_12m), 0) as consultations,
        coalesce(sum(profiles.complaints_12m), 0) as complaints,
        coalesce(sum(profiles.campaign_activities_12m), 0) as campaign_activities
    from {{ ref('customer_profiles') }} as profiles
    inner join {{ ref('customers') }} as customers
        on profiles.customer_id = customers.customer_id
    group by customers.source

),

interaction_totals as (

    select
        interactions.source,
        count(*) filter (where interactions.interaction_type = 'consultation')
            as consultations,
        count(*) filter (where interactions.interaction_type = 'complaint')
            as complaints,
        count(*) filter (where interactions.interaction_type = 'campaign_activity')
            as campaign_activities
    from {{ ref('interactions') }} as interactions
    inner join newest_settings
        on
            interactions.interaction_date > newest_settings.after_12m
            and interactions.interaction_date <= newest_settings.as_of_date
    group by interactions.source

)

select coalesce(profile_totals.source, interaction_totals.source) as source
from profile_totals
full outer join interaction_totals
    on profile_totals.source = interaction_totals.source
where
    coalesce(profile_totals.consultations, 0)
    <> coalesce(interaction_totals.consultations, 0)
    or coalesce(profile_totals.complaints, 0)
    <> coalesce(interaction_totals.complaints, 0)
    or coalesce(profile_totals.campaign_activities, 0)
    <> coalesce(interaction_totals.campaign_activities, 0)
