-- Grain: exactly one row, the settings that decide what a fact is.
-- They hold for all time: a fact accepted under one of them must not change with the as-of, so a
-- test refuses a second dated row of any of them.
with

settings as (
    select * from {{ ref('settings') }}
),

pivoted as (

    select
        max(value) filter (where setting = 'base_currency') as base_currency,
        max(value) filter (where setting = 'business_timezone') as business_timezone,
        cast(max(value) filter (where setting = 'minimum_date') as date)
            as minimum_date,
        cast(max(value) filter (where setting = 'max_days_ahead') as int)
            as max_days_ahead,
        cast(
            max(value) filter (where setting = 'largest_line_amount')
            as decimal(18, 2)
        ) as largest_line_amount
    from settings

)

select * from pivoted
