-- How far off were the forecasts of a year ago?
-- Of the model in use, for the 365 days that came: order days (`aggregate_ratio` is foretold
-- over actual, `mae` the mean error a customer), the same of spend, and the `coverage`, the
-- share of customers whose spend ended within the 80% interval.
select
    source,
    model,
    origin_date,
    measure,
    round(value, 3) as value,
    round(baseline_value, 3) as naive_rate
from clv_model_card
where
    is_used
    and horizon_days = 365
    and bucket = 'all'
    and measure in (
        'aggregate_ratio', 'mae', 'spend_aggregate_ratio', 'spend_mae', 'coverage'
    )
order by source, model, measure;

-- Do they beat a simple rate, and for which customers?
-- Mean order days a customer by how often it had come back, and which was nearer.
with

means as (

    select
        source,
        model,
        origin_date,
        bucket as repeat_order_days,
        max(value) filter (where measure = 'frequency_customers') as customers,
        max(value) filter (where measure = 'frequency_actual') as actual,
        max(value) filter (where measure = 'frequency_predicted') as predicted,
        max(baseline_value) filter (where measure = 'frequency_predicted')
            as naive_rate
    from clv_model_card
    where is_used and horizon_days = 365 and measure like 'frequency_%'
    group by source, model, origin_date, bucket

)

select
    source,
    model,
    repeat_order_days,
    customers,
    round(actual, 2) as actual,
    round(predicted, 2) as predicted,
    round(naive_rate, 2) as naive_rate,
    abs(predicted - actual) < abs(naive_rate - actual) as beats_naive_rate
from means
order by source, model, repeat_order_days;
