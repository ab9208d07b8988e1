-- Grain: one row per currency and period in which its rate into the base currency holds.
-- The newest rate on or before a day holds on it; the base currency itself always has rate 1.
with

exchange_rates as (
    select * from {{ ref('exchange_rates') }}
),

fact_settings as (
    select * from {{ ref('stg_rules__fact_settings') }}
),

rates_into_base as (

    select
        exchange_rates.currency,
        exchange_rates.rate_date as valid_from,
        lead(exchange_rates.rate_date) over (
            partition by exchange_rates.currency
            order by exchange_rates.rate_date asc nulls first
        ) as valid_before,
        exchange_rates.rate as exchange_rate
    from exchange_rates
    inner join fact_settings
        on exchange_rates.base_currency = fact_settings.base_currency
    where exchange_rates.currency <> fact_settings.base_currency

),

with_base_currency as (

    select
        currency,
        valid_from,
        coalesce(valid_before, date '9999-12-31') as valid_before,
        cast(exchange_rate as decimal(12, 6)) as exchange_rate
    from rates_into_base

    union all

    select
        base_currency as currency,
        date '0001-01-01' as valid_from,
        date '9999-12-31' as valid_before,
        cast(1 as decimal(12, 6)) as exchange_rate
    from fact_settings

)

select * from with_base_currency
