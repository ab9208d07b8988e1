-- Forecast and outcome by tenth of the forecast, in the widest backtest of the model in use.
with

widest as (

    select source, model, origin_date, horizon_days
    from marts.main.clv_model_card
    where is_used and horizon_days > 0 and measure = 'decile_predicted'
    qualify row_number() over (
        partition by source order by horizon_days desc, origin_date desc, model
    ) = 1

)

select
    card.source,
    card.origin_date,
    card.horizon_days,
    card.model,
    card.bucket::int as decile,
    max(card.value) filter (where measure = 'decile_predicted') as predicted,
    max(card.value) filter (where measure = 'decile_actual') as actual,
    max(card.value) filter (where measure = 'decile_coverage') as coverage
from marts.main.clv_model_card as card
inner join widest using (source, model, origin_date, horizon_days)
where card.measure in ('decile_predicted', 'decile_actual', 'decile_coverage')
group by all
order by card.source, decile
