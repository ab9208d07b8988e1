-- Grain: one row per month-end that judges and source with a backtest, the winner and the gate.
with

scores as (
    select * from {{ ref('int_clv__scores') }}
),

backtests as (

    select
        judged_on,
        max(model_tolerance) as model_tolerance,
        max(rival_share) as rival_share
    from {{ ref('int_clv__backtests') }}
    group by judged_on

),

compared as (

    select
        scores.judged_on,
        scores.source,
        max(backtests.model_tolerance) as model_tolerance,
        max(backtests.rival_share) as rival_share,
        max(scores.backtests) filter (where scores.model = 'naive_rate') as backtests,
        coalesce(max(scores.backtests) filter (where scores.model = 'bgnbd'), 0)
            as bgnbd_backtests,
        coalesce(max(scores.backtests) filter (where scores.model = 'mbgnbd'), 0)
            as mbgnbd_backtests,
        max(scores.mae_beside_rival) filter (where scores.model = 'bgnbd') as bgnbd_mae,
        max(scores.mae_beside_rival) filter (where scores.model = 'mbgnbd')
            as mbgnbd_mae
    from scores
    inner join backtests
        on scores.judged_on = backtests.judged_on
    group by scores.judged_on, scores.source

),

winners as (

    select
        judged_on,
        source,
        case
            when bgnbd_backtests = 0 then 'mbgnbd'
            when mbgnbd_backtests = 0 then 'bgnbd'
            -- A fit that fails that often is no rival, whatever it does where it does not.
            when
                bgnbd_backtests <= rival_share * backtests
                and mbgnbd_backtests > rival_share * backtests
                then 'mbgnbd'
            when
                mbgnbd_backtests <= rival_share * backtests
                and bgnbd_backtests > rival_share * backtests
                then 'bgnbd'
            -- BG/NBD gives every one-time buyer a P(alive) of 1, so it must win by more than a little.
            when mbgnbd_mae > (1 + model_tolerance) * bgnbd_mae then 'bgnbd'
            else 'mbgnbd'
        end as winner
    from compared
    where bgnbd_backtests + mbgnbd_backtests > 0

),

choices as (

    select
        winners.judged_on,
        winners.source,
        winners.winner,
        scores.mae > scores.naive_mae
        and scores.log_ratio_error > scores.naive_log_ratio_error as is_worse_than_naive
    from winners
    inner join scores
        on
            winners.judged_on = scores.judged_on
            and winners.source = scores.source
            and winners.winner = scores.model

)

select * from choices
