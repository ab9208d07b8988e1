-- Grain: one row per fit date, source, repeat order days and mean spend in steps of 1%.
-- Only a positive mean has a logarithm and a place in the Gamma-Gamma model.
with

histories as (
    select * from {{ ref('int_clv__histories') }}
    where frequency > 0 and mean_spend > 0
),

spend_groups as (

    select
        fit_date,
        source,
        frequency,
        cast(round(100 * ln(mean_spend)) as int) as log_step,
        count(*) as customers
    from histories
    group by fit_date, source, frequency, cast(round(100 * ln(mean_spend)) as int)

)

select * from spend_groups
