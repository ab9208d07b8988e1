-- Grain: one row per month-end that judges, source and model, how far it was off over all backtests.
with

backtested as (
    select * from {{ ref('int_clv__backtested') }}
    where bucket = 'all'
),

scores as (

    select
        judged_on,
        source,
        model,
        avg(value) filter (where measure = 'mae') as mae,
        -- How many times too much or too little, whichever way; nothing foretold is off the scale.
        avg(
            case
                when value > 0 then abs(ln(value))
                else cast(999 as double)
            end
        ) filter (where measure = 'aggregate_ratio') as log_ratio_error,
        count(*) filter (where measure = 'mae') as backtests
    from backtested
    group by judged_on, source, model

)

select * from scores
