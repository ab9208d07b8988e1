-- Grain: one row per month-end that judges and source with a backtest, the winner and the gate.
with

scores as (
    select * from {{ ref('int_clv__scores') }}
),

backtests as (

    select
        judged_on,
        max(model_tolerance) as model_tolerance
    from {{ ref('int_clv__backtests') }}
    group by judged_on

),

compared as (

    select
        scores.judged_on,
        scores.source,
        max(scores.mae) filter (where scores.model = 'bgnbd') as bgnbd_mae,
        max(scores.mae) filter (where scores.model = 'mbgnbd') as mbgnbd_mae,
        max(scores.mae) filter (where scores.model = 'naive_rate') as naive_mae,
        max(scores.log_ratio_error) filter (where scores.model = 'bgnbd')
            as bgnbd_error,
        max(scores.log_ratio_error) filter (where scores.model = 'mbgnbd')
            as mbgnbd_error,
        max(scores.log_ratio_error) filter (where scores.model = 'naive_rate')
            as naive_error,
        max(backtests.model_tolerance) as model_tolerance
    from scores
    inner join backtests
        on scores.judged_on = backtests.judged_on
    group by scores.judged_on, scores.source

),

winners as (

    select
        *,
        -- BG/NBD gives every one-time buyer a P(alive) of 1, so it must win by more than a little.
        case
            when mbgnbd_mae <= (1 + model_tolerance) * bgnbd_mae then 'mbgnbd'
            when bgnbd_mae is not null then 'bgnbd'
            else 'mbgnbd'
        end as winner
    from compared

),

choices as (

    select
        judged_on,
        source,
        winner,
        case
            when winner = 'bgnbd' then bgnbd_mae > naive_mae
            else mbgnbd_mae > naive_mae
        end
        and case
            when winner = 'bgnbd' then bgnbd_error > naive_error
            else mbgnbd_error > naive_error
        end as is_worse_than_naive
    from winners

)

select * from choices
