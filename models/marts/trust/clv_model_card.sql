-- Grain: one row per backtest of the month-end that judges the newest as-of, source, model, measure and
-- bucket; and one per fitted model and what should be known of its fit.
-- Baselines are models too: naive_rate, last_year, mean. `baseline_value` is the naive rate's.
with

backtested as (
    select * from {{ ref('int_clv__backtested') }}
),

fitted as (
    select * from {{ ref('int_clv__fitted') }}
),

as_of_dates as (
    select * from {{ ref('int_as_of_dates') }}
    where is_newest
),

models as (
    select * from {{ ref('int_clv__models') }}
),

judged as (

    select
        as_of_dates.as_of_date,
        backtested.*
    from backtested
    inner join as_of_dates
        on
            backtested.judged_on = case
                when as_of_dates.is_month_end then as_of_dates.as_of_date
                else as_of_dates.previous_as_of_date
            end

),

with_baselines as (

    select
        judged.as_of_date,
        judged.source,
        judged.model,
        judged.origin_date,
        judged.horizon_days,
        judged.measure,
        judged.bucket,
        judged.value,
        baselines.value as baseline_value
    from judged
    left join judged as baselines
        on
            judged.source = baselines.source
            and judged.origin_date = baselines.origin_date
            and judged.horizon_days = baselines.horizon_days
            and judged.measure = baselines.measure
            and judged.bucket = baselines.bucket
            and baselines.model = 'naive_rate'

    union all

    {% for measure in ['capped_customers', 'spend_correlation'] %}
    select
        as_of_dates.as_of_date,
        fitted.source,
        fitted.asked_model as model,
        fitted.fit_date as origin_date,
        0 as horizon_days,
        '{{ measure }}' as measure,
        'all' as bucket,
        max(cast(fitted.{{ measure }} as double)) as value,
        cast(null as double) as baseline_value
    from fitted
    inner join as_of_dates
        on fitted.fit_date = as_of_dates.as_of_date
    where fitted.{{ measure }} is not null
    group by
        as_of_dates.as_of_date,
        fitted.source,
        fitted.asked_model,
        fitted.fit_date
    {% if not loop.last %}
    union all
    {% endif %}
    {% endfor %}

),

card as (

    select
        with_baselines.source || ':' || with_baselines.model || ':'
        || cast(with_baselines.origin_date as {{ dbt.type_string() }}) || ':'
        || cast(with_baselines.horizon_days as {{ dbt.type_string() }}) || ':'
        || with_baselines.measure || ':' || with_baselines.bucket as clv_model_card_id,
        with_baselines.as_of_date,
        with_baselines.source,
        with_baselines.model,
        with_baselines.origin_date,
        cast(with_baselines.horizon_days as int) as horizon_days,
        with_baselines.measure,
        with_baselines.bucket,
        with_baselines.value,
        with_baselines.baseline_value,
        coalesce(
            models.clv_status in ('fitted', 'previous_parameters')
            and with_baselines.model in (models.asked_model, models.spend_model),
            false
        ) as is_used
    from with_baselines
    left join models
        on
            with_baselines.as_of_date = models.as_of_date
            and with_baselines.source = models.source

)

select * from card
