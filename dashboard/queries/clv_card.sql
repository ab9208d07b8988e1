-- Each backtest of the models and of the simple rates beside them.
select
    source,
    origin_date,
    horizon_days,
    model,
    bool_or(is_used) as is_used,
    max(value) filter (where measure = 'aggregate_ratio' and bucket = 'all') as aggregate_ratio,
    max(value) filter (where measure = 'mae' and bucket = 'all') as mae,
    max(value) filter (where measure = 'coverage' and bucket = 'all') as coverage
from marts.main.clv_model_card
where horizon_days > 0
group by all
order by source, origin_date desc, horizon_days desc, is_used desc, model
