-- Grain: one row per as-of date and window, the day after which the window opens.
-- A window is `opens_after < date <= as_of_date`.
with

settings as (
    select * from {{ ref('int_settings__by_as_of') }}
),

windows as (

    select
        as_of_date,
        'to_date' as window_name,
        date '0001-01-01' as opens_after
    from settings

    union all

    select
        as_of_date,
        'look_back' as window_name,
        look_back_after as opens_after
    from settings

    union all

    select
        as_of_date,
        '24m' as window_name,
        after_24m as opens_after
    from settings

    union all

    select
        as_of_date,
        '12m' as window_name,
        after_12m as opens_after
    from settings

    union all

    select
        as_of_date,
        '6m' as window_name,
        after_6m as opens_after
    from settings

    union all

    select
        as_of_date,
        '3m' as window_name,
        after_3m as opens_after
    from settings

)

select * from windows
