-- A setting that decides what a fact is has one row for all time; a fact must not
-- change with the as-of.
with

settings as (
    select * from {{ ref('settings') }}
),

fact_settings as (
    select 'base_currency' as setting
    union all
    select 'business_timezone' as setting
    union all
    select 'minimum_date' as setting
    union all
    select 'max_days_ahead' as setting
    union all
    select 'largest_line_amount' as setting
)

select fact_settings.setting
from fact_settings
left join settings
    on fact_settings.setting = settings.setting
group by fact_settings.setting
having
    count(settings.setting) <> 1
    or count(settings.valid_to) > 0
    or count(settings.value) <> 1
