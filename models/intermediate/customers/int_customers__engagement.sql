-- Grain: one row per as-of date and customer, how it behaves: activity, interactions, rhythm, loyalty.
-- Where a source delivers no interactions, nobody can tell who interacts seldom: unknown, not low.
with

measures as (
    select * from {{ ref('int_customers__measures') }}
),

rhythm as (
    select * from {{ ref('int_customers__rhythm') }}
),

cycles as (
    select * from {{ ref('int_customers__cycles') }}
),

interactions as (
    select * from {{ ref('int_customers__interactions') }}
),

feedback as (
    select * from {{ ref('int_customers__feedback') }}
),

settings as (
    select * from {{ ref('int_settings__by_as_of') }}
),

bands as (
    select * from {{ ref('int_bands__by_as_of') }}
),

interacting_sources as (

    select
        as_of_date,
        source
    from interactions
    where interactions_3m > 0
    group by as_of_date, source

),

referring_sources as (

    select
        as_of_date,
        source
    from feedback
    where referrals > 0
    group by as_of_date, source

),

gathered as (

    select
        measures.as_of_date,
        measures.is_newest,
        measures.source,
        measures.customer_id,
        measures.recency_days,
        measures.orders_to_date,
        rhythm.median_gap_days,
        rhythm.gap_variation,
        cycles.cycles,
        cycles.repeat_rate,
        case
            when interacting_sources.source is not null
                then coalesce(interactions.interactions_3m, 0)
        end as interactions_3m,
        interactions.csat_sum_12m,
        interactions.csat_answers_12m,
        feedback.nps_answer,
        feedback.last_survey_at,
        coalesce(feedback.open_ticket_count, 0) as open_ticket_count,
        case
            when referring_sources.source is not null
                then
                    cast(
                        least(
                            coalesce(feedback.referred_customers, 0),
                            settings.full_referrals
                        ) as double
                    ) / nullif(cast(settings.full_referrals as double), 0)
        end as referral_part,
        -- Who has not shown a rhythm has no stable one.
        coalesce(1 / (1 + rhythm.gap_variation), 0) as stability_part
    from measures
    inner join settings
        on measures.as_of_date = settings.as_of_date
    left join rhythm
        on
            measures.as_of_date = rhythm.as_of_date
            and measures.customer_id = rhythm.customer_id
    left join cycles
        on
            measures.as_of_date = cycles.as_of_date
            and measures.customer_id = cycles.customer_id
    left join interactions
        on
            measures.as_of_date = interactions.as_of_date
            and measures.customer_id = interactions.customer_id
    left join feedback
        on
            measures.as_of_date = feedback.as_of_date
            and measures.customer_id = feedback.customer_id
    left join interacting_sources
        on
            measures.as_of_date = interacting_sources.as_of_date
            and measures.source = interacting_sources.source
    left join referring_sources
        on
            measures.as_of_date = referring_sources.as_of_date
            and measures.source = referring_sources.source

),

rated as (

    select
        *,
        cast(interactions_3m as double) / 3 as interactions_per_month,
        cast(csat_sum_12m as double) / nullif(cast(csat_answers_12m as double), 0)
            as csat_average_12m,
        cast(orders_to_date - 1 as double) / nullif(cast(orders_to_date as double), 0)
            as repeat_order_rate,
        (
            coalesce(repeat_rate, 0) + coalesce(referral_part, 0) + stability_part
        ) / (
            1
            + case when repeat_rate is null then 0 else 1 end
            + case when referral_part is null then 0 else 1 end
        ) as loyalty_score
    from gathered

),

banded as (

    select
        rated.*,
        coalesce(activity_bands.code, 'no_order') as activity_status,
        coalesce(interaction_bands.code, 'unknown') as interaction_band,
        coalesce(cycle_bands.code, 'unknown') as cycle_band,
        coalesce(loyalty_bands.code, 'unknown') as loyalty_band
    from rated
    left join bands as activity_bands
        on {{ in_band('rated', 'recency_days', 'activity_bands', 'activity_status') }}
    left join bands as interaction_bands
        on {{ in_band(
            'rated', 'interactions_per_month', 'interaction_bands', 'interaction_band'
        ) }}
    left join bands as cycle_bands
        on {{ in_band('rated', 'median_gap_days', 'cycle_bands', 'cycle_band') }}
    left join bands as loyalty_bands
        on {{ in_band('rated', 'repeat_rate', 'loyalty_bands', 'loyalty_band') }}

)

select * from banded
