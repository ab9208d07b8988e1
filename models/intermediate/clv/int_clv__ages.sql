-- Grain: one row per as-of date, source, repeat order days and age of some customer that is scored.
-- With all that a forecast needs beside them, for the lookups that SQL cannot compute.
with

histories as (
    select * from {{ ref('int_clv__histories') }}
),

models as (
    select * from {{ ref('int_clv__models') }}
    where clv_status in ('fitted', 'previous_parameters')
),

settings as (
    select * from {{ ref('int_settings__by_as_of') }}
),

as_of_dates as (
    select * from {{ ref('int_as_of_dates') }}
),

distinct_ages as (

    select
        fit_date,
        source,
        frequency,
        age_days,
        cast(round(cast(age_days as double) / 7) as int) as age_weeks
    from histories
    group by fit_date, source, frequency, age_days

),

ages as (

    select
        models.as_of_date,
        as_of_dates.is_newest,
        models.source,
        distinct_ages.frequency,
        distinct_ages.age_days,
        distinct_ages.age_weeks,
        settings.days_12m as horizon_days,
        settings.clv_yearly_discount as yearly_discount,
        models.order_model,
        models.r,
        models.alpha,
        models.a,
        models.b,
        models.spend_model,
        models.p,
        models.q,
        models.v,
        models.mean_spend
    from models
    inner join as_of_dates
        on models.as_of_date = as_of_dates.as_of_date
    inner join settings
        on models.as_of_date = settings.as_of_date
    inner join distinct_ages
        on
            models.as_of_date = distinct_ages.fit_date
            and models.source = distinct_ages.source

)

select * from ages
