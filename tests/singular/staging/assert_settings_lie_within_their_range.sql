-- Every setting lies within its minimum and maximum, and is blank only where its
-- meaning says what blank means.
with

settings as (
    select * from {{ ref('settings') }}
)

select
    setting,
    valid_from,
    value,
    minimum,
    maximum
from settings
where
    (value is null and meaning not like '%blank means%')
    or (
        value is not null
        and (minimum is not null or maximum is not null)
        and try_cast(value as decimal(18, 6)) is null
    )
    or try_cast(value as decimal(18, 6)) < minimum
    or try_cast(value as decimal(18, 6)) > maximum
    -- Currencies of orders are compared in capitals.
    or (setting = 'base_currency' and value <> upper(trim(value)))
