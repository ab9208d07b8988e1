-- Grain: one row per as-of date and customer who interacted within a window of it.
with

interactions as (
    select * from {{ ref('int_interactions__united') }}
),

interaction_types as (
    select * from {{ ref('interaction_types') }}
),

periods as (
    select * from {{ ref('int_days__periods') }}
),

-- Which periods lie in a window of which as-of.
memberships as (

    select
        spans.period_number,
        spans.window_name,
        as_of_dates.as_of_date
    from {{ ref('int_periods__spans') }} as spans
    inner join {{ ref('int_as_of_dates') }} as as_of_dates
        on
            spans.from_number <= as_of_dates.as_of_number
            and (
                spans.until_number is null
                or spans.until_number > as_of_dates.as_of_number
            )
    where spans.window_name in ('3m', '12m')

),

interactions_by_period as (

    select
        interactions.source,
        interactions.customer_id,
        periods.period_number,
        sum(case when interaction_types.is_counted then 1 else 0 end)
            as counted_interactions,
        sum(interactions.score) filter (where interactions.interaction_type = 'csat')
            as csat_sum,
        count(interactions.score) filter (where interactions.interaction_type = 'csat')
            as csat_answers
    from interactions
    inner join interaction_types
        on interactions.interaction_type = interaction_types.interaction_type
    inner join periods
        on interactions.interaction_date = periods.date_day
    group by interactions.source, interactions.customer_id, periods.period_number

),

interactions_in_windows as (

    select
        memberships.as_of_date,
        interactions_by_period.source,
        interactions_by_period.customer_id,
        cast(
            sum(
                case
                    when memberships.window_name = '3m'
                        then interactions_by_period.counted_interactions
                    else 0
                end
            ) as bigint
        ) as interactions_3m,
        cast(
            sum(
                case
                    when memberships.window_name = '12m'
                        then interactions_by_period.csat_sum
                end
            ) as decimal(18, 6)
        ) as csat_sum_12m,
        cast(
            sum(
                case
                    when memberships.window_name = '12m'
                        then interactions_by_period.csat_answers
                    else 0
                end
            ) as bigint
        ) as csat_answers_12m
    from interactions_by_period
    inner join memberships
        on interactions_by_period.period_number = memberships.period_number
    group by
        memberships.as_of_date,
        interactions_by_period.source,
        interactions_by_period.customer_id

)

select * from interactions_in_windows
