-- Grain: one row per month-end that judges, source and model, how far it was off over its backtests.
-- A model foretells nothing where its fit did not converge. So it stands beside the naive rate over the
-- backtests that it has, and beside the other model over those that both have: the error of a quarter
-- says nothing next to that of a year.
with

backtested as (
    select * from {{ ref('int_clv__backtested') }}
    where bucket = 'all'
),

errors as (

    select
        judged_on,
        source,
        origin_date,
        horizon_days,
        model,
        max(value) filter (where measure = 'mae') as mae,
        -- How many times too much or too little, whichever way; nothing foretold is off the scale.
        max(
            case
                when value > 0 then abs(ln(value))
                else cast(999 as double)
            end
        ) filter (where measure = 'aggregate_ratio') as log_ratio_error
    from backtested
    group by judged_on, source, origin_date, horizon_days, model

),

compared as (

    select
        errors.*,
        naive.mae as naive_mae,
        naive.log_ratio_error as naive_log_ratio_error,
        rivals.mae is not null as has_rival
    from errors
    left join errors as naive
        on
            errors.judged_on = naive.judged_on
            and errors.source = naive.source
            and errors.origin_date = naive.origin_date
            and errors.horizon_days = naive.horizon_days
            and naive.model = 'naive_rate'
    left join errors as rivals
        on
            errors.judged_on = rivals.judged_on
            and errors.source = rivals.source
            and errors.origin_date = rivals.origin_date
            and errors.horizon_days = rivals.horizon_days
            and rivals.model = case
                when errors.model = 'bgnbd' then 'mbgnbd'
                when errors.model = 'mbgnbd' then 'bgnbd'
            end

),

scores as (

    select
        judged_on,
        source,
        model,
        avg(mae) as mae,
        avg(log_ratio_error) as log_ratio_error,
        avg(naive_mae) as naive_mae,
        avg(naive_log_ratio_error) as naive_log_ratio_error,
        avg(mae) filter (where has_rival) as mae_beside_rival,
        count(mae) as backtests
    from compared
    group by judged_on, source, model

)

select * from scores
