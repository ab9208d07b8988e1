-- Grain: one row per as-of date (the newest and the month-end before), source, model asked for and
-- parameter; a fit that found none has one row without.
with

fitted as (
    select * from {{ ref('int_clv__fitted') }}
),

newest_as_of as (
    select * from {{ ref('int_newest_as_of') }}
),

parameters as (

    select
        cast(fitted.fit_date as {{ dbt.type_string() }}) || ':' || fitted.source || ':'
        || fitted.asked_model || ':' || fitted.parameter as clv_parameter_id,
        fitted.fit_date as as_of_date,
        fitted.source,
        fitted.asked_model,
        fitted.model,
        fitted.parameter,
        fitted.value,
        fitted.log_likelihood,
        fitted.customers,
        fitted.groups,
        fitted.status,
        fitted.reason
    from fitted
    cross join newest_as_of
    where
        fitted.fit_date in (
            newest_as_of.newest_as_of_date, newest_as_of.previous_as_of_date
        )

)

select * from parameters
