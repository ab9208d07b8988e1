-- Grain: one row per as-of date, or other day whose rules score again, and band that holds on it.
-- Open ends become the ends of the type, so that every band is one inequality join,
-- `value >= lower_bound and value < upper_bound`.
with

bands as (
    select * from {{ ref('bands') }}
),

as_of_dates as (

    select as_of_date from {{ ref('int_as_of_dates') }}
    union
    select rules_day as as_of_date from {{ ref('int_rescorings') }}

),

bands_at_as_of as (

    select
        as_of_dates.as_of_date,
        bands.rule_id,
        bands.dimension,
        bands.code,
        bands.measure,
        coalesce(bands.lower_bound, cast(-999999999999 as decimal(18, 6)))
            as lower_bound,
        coalesce(bands.upper_bound, cast(999999999999 as decimal(18, 6)))
            as upper_bound,
        bands.points,
        bands.clause
    from as_of_dates
    inner join bands
        on {{ holds_on('bands', 'as_of_dates.as_of_date') }}

)

select * from bands_at_as_of
