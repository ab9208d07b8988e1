-- Grain: one row per customer whose registration, verification, campaign contacts or segments set by
-- hand changed since the published version.
-- Dates decide since when a customer exists, and from when on a segment is another. A shop that
-- delivers all of its master data every day touches nobody by repeating them.
with

increment as (
    select * from {{ ref('stg_control__increment') }}
    where not is_full_rebuild
),

customers as (
    select * from {{ source('shop', 'customers') }}
),

contacts as (
    select * from {{ source('shop', 'campaign_contacts') }}
),

overrides as (
    select * from {{ source('shop', 'segment_overrides') }}
),

fact_settings as (
    select * from {{ ref('stg_rules__fact_settings') }}
),

dates as (

    select
        'registered' as event,
        customer_id,
        registered_at as event_at,
        cast(null as {{ dbt.type_string() }}) as override,
        updated_at,
        _delivery_id,
        _row_number
    from customers

    union all

    select
        'verified' as event,
        customer_id,
        verified_at as event_at,
        cast(null as {{ dbt.type_string() }}) as override,
        updated_at,
        _delivery_id,
        _row_number
    from customers

    union all

    select
        'contact:' || campaign_id as event,
        customer_id,
        -- In an arm that is none it is rejected, and so no event.
        case when lower(arm) in ('treatment', 'control') then contacted_at end
            as event_at,
        cast(null as {{ dbt.type_string() }}) as override,
        cast(null as timestamp) as updated_at,
        _delivery_id,
        _row_number
    from contacts

    union all

    select
        'override:' || cast(valid_from as {{ dbt.type_string() }}) as event,
        customer_id,
        cast(valid_from as timestamp) as event_at,
        lower(segment) || ' until '
        || coalesce(cast(valid_to as {{ dbt.type_string() }}), 'further notice')
            as override,
        cast(null as timestamp) as updated_at,
        _delivery_id,
        _row_number
    from overrides

),

revised as (

    select
        dates.event,
        dates.customer_id
    from dates
    inner join increment
        on dates._delivery_id > increment.since_delivery_id
    group by dates.event, dates.customer_id

),

revisions as (

    select
        dates.event,
        dates.customer_id,
        dates.event_at,
        dates.override,
        dates.updated_at,
        dates._delivery_id,
        dates._row_number,
        dates._delivery_id <= increment.since_delivery_id as is_published
    from dates
    inner join revised
        on dates.event = revised.event and dates.customer_id = revised.customer_id
    cross join increment

),

ranked as (

    select
        event,
        customer_id,
        event_at,
        override,
        is_published,
        {{ revision_rank(['event', 'customer_id']) }} as rank_now,
        {{ revision_rank(['event', 'customer_id', 'is_published']) }} as rank_before
    from revisions

),

changes as (

    select
        event,
        customer_id,
        max(case when rank_now = 1 then event_at end) as event_at_now,
        max(case when rank_before = 1 and is_published then event_at end)
            as event_at_before,
        max(case when rank_now = 1 then override end) as override_now,
        max(case when rank_before = 1 and is_published then override end)
            as override_before
    from ranked
    group by event, customer_id

),

touched_customers as (

    select
        'shop:' || changes.customer_id as touched_id,
        changes.customer_id as touched_key,
        least(
            min({{ business_date('changes.event_at_now') }}),
            min({{ business_date('changes.event_at_before') }})
        ) as earliest_date
    from changes
    cross join fact_settings
    where
        changes.event_at_now is distinct from changes.event_at_before
        or changes.override_now is distinct from changes.override_before
    group by changes.customer_id

)

select * from touched_customers
