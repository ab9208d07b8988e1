-- Grain: one row per customer at the newest as-of, the need behind what it speaks of (N2).
-- The need that its topics of 12 months mention most; needs mentioned equally often go by their
-- priority for its type. Who mentions none has the need that the documents assume of the type.
with

customers as (
    select * from {{ ref('int_customers__attributes') }}
),

settings as (
    select * from {{ ref('int_settings__by_as_of') }}
),

interactions as (
    select * from {{ ref('int_interactions__united') }}
    where topic is not null
),

need_topics as (
    select * from {{ ref('need_topics') }}
),

core_needs as (
    select * from {{ ref('core_needs') }}
),

mentions as (

    select
        customers.customer_id,
        customers.customer_type,
        need_topics.core_need,
        count(*) as mention_count
    from customers
    inner join settings
        on customers.as_of_date = settings.as_of_date
    inner join interactions
        on
            customers.customer_id = interactions.customer_id
            and settings.after_12m < interactions.interaction_date
            and settings.as_of_date >= interactions.interaction_date
    inner join need_topics
        on lower(interactions.topic) = need_topics.topic
    group by customers.customer_id, customers.customer_type, need_topics.core_need

),

mentioned_needs as (

    select
        mentions.customer_id,
        mentions.core_need,
        mentions.mention_count,
        lead(mentions.mention_count) over by_weight as next_mention_count,
        row_number() over by_weight as place
    from mentions
    inner join core_needs
        on
            mentions.customer_type = core_needs.customer_type
            and mentions.core_need = core_needs.core_need
    window by_weight as (
        partition by mentions.customer_id
        order by
            mentions.mention_count desc nulls last,
            core_needs.priority asc nulls last,
            mentions.core_need asc nulls last
    )

),

assumed_needs as (
    select * from core_needs
    where is_default
),

customer_needs as (

    select
        customers.as_of_date,
        customers.customer_id,
        coalesce(mentioned_needs.core_need, assumed_needs.core_need, 'unknown')
            as core_need,
        mentioned_needs.core_need is null and assumed_needs.core_need is not null
            as is_core_need_default,
        coalesce(mentioned_needs.mention_count, 0) as mention_count,
        coalesce(mentioned_needs.next_mention_count, 0) as next_mention_count
    from customers
    left join mentioned_needs
        on
            customers.customer_id = mentioned_needs.customer_id
            and mentioned_needs.place = 1
    left join assumed_needs
        on customers.customer_type = assumed_needs.customer_type

)

select * from customer_needs
