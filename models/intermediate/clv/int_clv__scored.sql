-- Grain: one row per as-of date and customer with a counted order, what the models expect of it.
-- P(alive) in closed form; what needs a special function comes from the lookups, by repeat order days
-- and age. Sources: Fader, Hardie and Lee 2005 (BG/NBD, and Gamma-Gamma), Batislam et al. 2007 (MBG/NBD).
with

histories as (
    select * from {{ ref('int_clv__histories') }}
),

models as (
    select * from {{ ref('int_clv__models') }}
    where clv_status in ('fitted', 'previous_parameters')
),

expectations as (
    select * from {{ ref('int_clv__expectations') }}
),

weighed as (

    select
        models.as_of_date,
        models.source,
        histories.customer_id,
        histories.frequency,
        histories.age_days,
        histories.mean_spend,
        models.order_model,
        models.r,
        models.alpha,
        models.spend_model,
        models.p,
        models.q,
        models.v,
        models.mean_spend as population_spend,
        -- The odds of being gone against being alive.
        case
            when models.order_model = 'nbd' then cast(0 as double)
            when models.order_model = 'bgnbd' and histories.frequency = 0
                then cast(0 as double)
            else
                models.a
                / (
                    models.b + histories.frequency
                    - case when models.order_model = 'bgnbd' then 1 else 0 end
                )
                * exp(
                    least(
                        (models.r + histories.frequency)
                        * ln(
                            (models.alpha + cast(histories.age_days as double) / 7)
                            / (
                                models.alpha
                                + cast(histories.recency_days as double) / 7
                            )
                        ),
                        cast(700 as double)
                    )
                )
        end as odds_of_gone
    from models
    inner join histories
        on
            models.as_of_date = histories.fit_date
            and models.source = histories.source

),

scored as (

    select
        weighed.as_of_date,
        weighed.source,
        weighed.customer_id,
        weighed.frequency,
        weighed.age_days,
        1 / (1 + weighed.odds_of_gone) as p_alive,
        expectations.orders_if_alive / (1 + weighed.odds_of_gone) as expected_orders,
        expectations.discounted_orders_if_alive / (1 + weighed.odds_of_gone)
            as discounted_orders,
        case
            when weighed.spend_model = 'mean_spend' then weighed.population_spend
            else
                weighed.p * (weighed.v + weighed.frequency * weighed.mean_spend)
                / (weighed.p * weighed.frequency + weighed.q - 1)
        end as expected_order_value,
        -- What the multiples of the interval are multiples of, in money of today.
        case
            when weighed.spend_model = 'mean_spend' then weighed.population_spend
            else weighed.v + weighed.frequency * weighed.mean_spend
        end
        * coalesce(
            expectations.discounted_orders_if_alive
            / nullif(expectations.orders_if_alive, 0), 1
        ) as spend_scale,
        case
            when weighed.r + weighed.frequency > 1
                then
                    7 * (weighed.alpha + cast(weighed.age_days as double) / 7)
                    / (weighed.r + weighed.frequency - 1)
        end as days_to_next_order
    from weighed
    inner join expectations
        on
            weighed.as_of_date = expectations.as_of_date
            and weighed.source = expectations.source
            and weighed.frequency = expectations.frequency
            and weighed.age_days = expectations.age_days

)

select * from scored
