-- Grain: one row per source, which kinds of facts it has told of by the newest as-of.
-- A source that never told of a complaint may have none or may not keep them: a count of them is not
-- known there, and not 0.
with

as_of_dates as (
    select * from {{ ref('int_as_of_dates') }}
    where is_newest
),

interactions as (
    select * from {{ ref('int_interactions__united') }}
),

entries as (
    select * from {{ ref('int_sales_ledger') }}
),

contacts as (
    {{ union_sources('campaign_contacts', ['contact_date', 'rejection_reason']) }}
),

kinds_of_facts as (

    select
        interactions.source,
        interactions.interaction_type as kind
    from interactions
    inner join as_of_dates
        on interactions.interaction_date <= as_of_dates.as_of_date
    group by interactions.source, interactions.interaction_type

    union all

    select
        entries.source,
        'refund' as kind
    from entries
    inner join as_of_dates
        on entries.ledger_date <= as_of_dates.as_of_date
    where entries.entry_type in ('refund', 'credit_note')
    group by entries.source

    union all

    select
        contacts.source,
        'campaign_contact' as kind
    from contacts
    inner join as_of_dates
        on contacts.contact_date <= as_of_dates.as_of_date
    where contacts.rejection_reason is null
    group by contacts.source

),

told_facts as (

    select
        source,
        count(*) filter (where kind = 'consultation') > 0 as tells_of_consultations,
        count(*) filter (where kind = 'complaint') > 0 as tells_of_complaints,
        count(*) filter (where kind = 'campaign_activity') > 0
            as tells_of_campaign_activities,
        count(*) filter (where kind = 'campaign_contact') > 0
            as tells_of_campaign_contacts,
        count(*) filter (where kind = 'refund') > 0 as tells_of_refunds
    from kinds_of_facts
    group by source

)

select * from told_facts
