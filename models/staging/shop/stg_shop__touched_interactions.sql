-- Grain: one row per interaction with a revision in deliveries since the published version.
with

increment as (
    select * from {{ ref('stg_control__increment') }}
    where not is_full_rebuild
),

interactions as (
    select * from {{ source('shop', 'interactions') }}
),

fact_settings as (
    select * from {{ ref('stg_rules__fact_settings') }}
),

revised_interactions as (

    select interactions.interaction_id
    from interactions
    inner join increment
        on interactions._delivery_id > increment.since_delivery_id
    group by interactions.interaction_id

),

touched_interactions as (

    select
        'shop:' || interactions.interaction_id as touched_id,
        interactions.interaction_id as touched_key,
        min({{ business_date('interactions.occurred_at') }}) as earliest_date
    from interactions
    inner join revised_interactions
        on interactions.interaction_id = revised_interactions.interaction_id
    cross join fact_settings
    group by interactions.interaction_id

)

select * from touched_interactions
