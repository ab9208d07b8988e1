-- Grain: one row per as-of date and customer, what it brought and what it is expected to bring.
with

formulas as (
    select * from {{ ref('int_customers__clv_formula') }}
),

models as (
    select * from {{ ref('int_clv__models') }}
),

scored as (
    select * from {{ ref('int_clv__scored') }}
),

settings as (
    select * from {{ ref('int_settings__by_as_of') }}
),

multiples as (
    select * from {{ ref('int_clv__multiples') }}
),

-- Whoever is gone spends nothing, so the ends of the interval are looked up among the living, at levels
-- in steps of 1/40; below 0 nobody is found.
with_levels as (

    select
        scored.*,
        cast(round(cast(scored.age_days as double) / 7) as int) as age_weeks,
        greatest(
            40 * (1 - (1 - (1 - settings.clv_interval_share) / 2) / scored.p_alive),
            cast(-1 as double)
        ) as lower_level,
        greatest(
            40 * (1 - (1 - settings.clv_interval_share) / 2 / scored.p_alive),
            cast(-1 as double)
        ) as upper_level,
        settings.clv_minimum_p_alive,
        settings.maximum_life_years * settings.days_12m as maximum_life_days
    from scored
    inner join settings
        on scored.as_of_date = settings.as_of_date

),

with_intervals as (

    select
        with_levels.*,
        with_levels.spend_scale * coalesce(
            lower_ends.multiple
            + (with_levels.lower_level - lower_ends.level_step) * lower_ends.gain, 0
        ) as lower_spend,
        with_levels.spend_scale * coalesce(
            upper_ends.multiple
            + (with_levels.upper_level - upper_ends.level_step) * upper_ends.gain, 0
        ) as upper_spend
    from with_levels
    left join multiples as lower_ends
        on
            with_levels.as_of_date = lower_ends.as_of_date
            and with_levels.source = lower_ends.source
            and with_levels.frequency = lower_ends.frequency
            and with_levels.age_weeks = lower_ends.age_weeks
            and cast(floor(with_levels.lower_level) as int) = lower_ends.level_step
    left join multiples as upper_ends
        on
            with_levels.as_of_date = upper_ends.as_of_date
            and with_levels.source = upper_ends.source
            and with_levels.frequency = upper_ends.frequency
            and with_levels.age_weeks = upper_ends.age_weeks
            and cast(floor(with_levels.upper_level) as int) = upper_ends.level_step

),

clv as (

    select
        formulas.as_of_date,
        formulas.is_newest,
        formulas.source,
        formulas.customer_id,
        formulas.clv_historic_revenue,
        formulas.clv_historic_margin,
        formulas.clv_formula,
        formulas.expected_years,
        formulas.churn_cohort,
        models.clv_basis,
        {{ estimated_money(
            'with_intervals.discounted_orders * with_intervals.expected_order_value'
        ) }} as clv_predicted,
        -- The past keeps its forecasts without their intervals: these are dear to look up.
        case
            when formulas.is_newest
                then {{ estimated_money('with_intervals.lower_spend') }}
        end as clv_lower,
        case
            when formulas.is_newest
                then {{ estimated_money('with_intervals.upper_spend') }}
        end as clv_upper,
        with_intervals.expected_orders,
        {{ estimated_money('with_intervals.expected_order_value') }}
            as expected_order_value,
        with_intervals.p_alive,
        case
            when
                with_intervals.p_alive >= with_intervals.clv_minimum_p_alive
                and with_intervals.days_to_next_order
                <= with_intervals.maximum_life_days
                then
                    cast(
                        {{ dbt.dateadd(
                            'day',
                            'cast(round(with_intervals.days_to_next_order) as int)',
                            'formulas.as_of_date'
                        ) }} as date
                    )
        end as expected_next_order_date,
        case
            when with_intervals.customer_id is not null then models.clv_status
            when models.clv_status = 'formula_only' and formulas.clv_formula is not null
                then 'formula_only'
            else 'insufficient_evidence'
        end as clv_status,
        case
            when formulas.average_order_value is null then 'no_order'
            else models.clv_reason
        end as clv_reason
    from formulas
    left join models
        on
            formulas.as_of_date = models.as_of_date
            and formulas.source = models.source
    left join with_intervals
        on
            formulas.as_of_date = with_intervals.as_of_date
            and formulas.customer_id = with_intervals.customer_id

)

select * from clv
