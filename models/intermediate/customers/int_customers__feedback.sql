-- Grain: one row per as-of date and customer who had answered, complained or recommended by then.
-- What holds until something newer comes, however old it is: the newest answers, tickets that are
-- still open, whom the customer referred.
with

as_of_dates as (
    select * from {{ ref('int_as_of_dates') }}
),

periods as (
    select * from {{ ref('int_days__periods') }}
),

fact_settings as (
    select * from {{ ref('stg_rules__fact_settings') }}
),

interactions as (

    select
        interactions.source,
        interactions.customer_id,
        interactions.interaction_id,
        interactions.interaction_type,
        interactions.occurred_at,
        interactions.score,
        interactions.referred_customer_id,
        periods.first_as_of_number as from_number,
        {{ business_date('interactions.resolved_at') }} as resolved_date
    from {{ ref('int_interactions__united') }} as interactions
    inner join periods
        on interactions.interaction_date = periods.date_day
    cross join fact_settings
    where
        interactions.interaction_type in (
            'csat', 'nps', 'service_ticket', 'complaint', 'referral'
        )

),

nps_answers as (

    select
        source,
        customer_id,
        cast(floor(score) as int) as nps_answer,
        from_number,
        lead(from_number) over (
            partition by customer_id
            order by
                occurred_at asc nulls first,
                interaction_id asc nulls first
        ) as until_number
    from interactions
    where interaction_type = 'nps'

),

referrals as (

    select
        source,
        customer_id,
        referred_customer_id,
        min(from_number) as from_number
    from interactions
    where interaction_type = 'referral'
    group by source, customer_id, referred_customer_id

),

facts_at_as_of as (

    select
        as_of_dates.as_of_date,
        interactions.source,
        interactions.customer_id,
        interactions.occurred_at as last_survey_at,
        cast(null as int) as nps_answer,
        0 as open_tickets,
        0 as referrals,
        0 as referred_customers
    from interactions
    inner join as_of_dates
        on interactions.from_number <= as_of_dates.as_of_number
    where interactions.interaction_type in ('csat', 'nps')

    union all

    select
        as_of_dates.as_of_date,
        nps_answers.source,
        nps_answers.customer_id,
        cast(null as timestamp) as last_survey_at,
        nps_answers.nps_answer,
        0 as open_tickets,
        0 as referrals,
        0 as referred_customers
    from nps_answers
    inner join as_of_dates
        on
            nps_answers.from_number <= as_of_dates.as_of_number
            and (
                nps_answers.until_number is null
                or nps_answers.until_number > as_of_dates.as_of_number
            )

    union all

    select
        as_of_dates.as_of_date,
        interactions.source,
        interactions.customer_id,
        cast(null as timestamp) as last_survey_at,
        cast(null as int) as nps_answer,
        1 as open_tickets,
        0 as referrals,
        0 as referred_customers
    from interactions
    inner join as_of_dates
        on
            interactions.from_number <= as_of_dates.as_of_number
            and (
                interactions.resolved_date is null
                or interactions.resolved_date > as_of_dates.as_of_date
            )
    where interactions.interaction_type in ('service_ticket', 'complaint')

    union all

    select
        as_of_dates.as_of_date,
        referrals.source,
        referrals.customer_id,
        cast(null as timestamp) as last_survey_at,
        cast(null as int) as nps_answer,
        0 as open_tickets,
        1 as referrals,
        case when referrals.referred_customer_id is null then 0 else 1 end
            as referred_customers
    from referrals
    inner join as_of_dates
        on referrals.from_number <= as_of_dates.as_of_number

),

feedback as (

    select
        as_of_date,
        source,
        customer_id,
        max(last_survey_at) as last_survey_at,
        max(nps_answer) as nps_answer,
        cast(sum(open_tickets) as bigint) as open_ticket_count,
        cast(sum(referrals) as bigint) as referrals,
        cast(sum(referred_customers) as bigint) as referred_customers
    from facts_at_as_of
    group by as_of_date, source, customer_id

)

select * from feedback
