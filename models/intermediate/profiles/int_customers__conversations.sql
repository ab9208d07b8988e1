-- Grain: one row per customer at the newest as-of, what it asked and complained about (P2).
with

customers as (
    select * from {{ ref('int_customers__at_as_of') }}
    where is_newest
),

settings as (
    select * from {{ ref('int_settings__by_as_of') }}
),

interactions as (
    select * from {{ ref('int_interactions__united') }}
    where interaction_type in ('consultation', 'complaint')
),

told_facts as (
    select * from {{ ref('int_sources__told_facts') }}
),

known_interactions as (

    select
        customers.customer_id,
        interactions.interaction_id,
        interactions.interaction_type,
        interactions.occurred_at,
        interactions.topic,
        interactions.interaction_date > settings.after_12m as is_of_12m
    from customers
    inner join settings
        on customers.as_of_date = settings.as_of_date
    inner join interactions
        on
            customers.customer_id = interactions.customer_id
            and customers.as_of_date >= interactions.interaction_date

),

counts as (

    select
        customer_id,
        count(*) filter (where interaction_type = 'consultation' and is_of_12m)
            as consultations_12m,
        count(*) filter (where interaction_type = 'complaint' and is_of_12m)
            as complaints_12m
    from known_interactions
    group by customer_id

),

last_consultations as (

    select
        customer_id,
        occurred_at,
        topic
    from known_interactions
    where interaction_type = 'consultation'
    qualify row_number() over (
        partition by customer_id
        order by occurred_at desc nulls last, interaction_id desc nulls last
    ) = 1

),

complaint_topics as (

    select
        customer_id,
        topic,
        count(*) as complaints,
        max(occurred_at) as last_complained_at
    from known_interactions
    where interaction_type = 'complaint' and is_of_12m and topic is not null
    group by customer_id, topic

),

top_complaint_topics as (

    select
        customer_id,
        topic
    from complaint_topics
    qualify row_number() over (
        partition by customer_id
        order by
            complaints desc nulls last,
            last_complained_at desc nulls last,
            topic asc nulls last
    ) = 1

),

conversations as (

    select
        customers.as_of_date,
        customers.customer_id,
        case
            when told_facts.tells_of_consultations
                then coalesce(counts.consultations_12m, 0)
        end as consultations_12m,
        last_consultations.occurred_at as last_consultation_at,
        last_consultations.topic as last_consultation_topic,
        case
            when told_facts.tells_of_complaints then coalesce(counts.complaints_12m, 0)
        end as complaints_12m,
        top_complaint_topics.topic as top_complaint_topic_12m
    from customers
    left join told_facts
        on customers.source = told_facts.source
    left join counts
        on customers.customer_id = counts.customer_id
    left join last_consultations
        on customers.customer_id = last_consultations.customer_id
    left join top_complaint_topics
        on customers.customer_id = top_complaint_topics.customer_id

)

select * from conversations
