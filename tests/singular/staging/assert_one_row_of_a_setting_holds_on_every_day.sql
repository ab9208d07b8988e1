-- On every day exactly one row of a setting holds: its periods follow each other
-- without gap or overlap, from the first day of all settings on without end.
with

settings as (
    select * from {{ ref('settings') }}
),

periods as (

    select
        setting,
        valid_from,
        valid_to,
        min(valid_from) over () as first_day,
        lag(valid_to) over (
            partition by setting order by valid_from asc nulls first
        ) as ended_before,
        row_number() over (
            partition by setting
            order by valid_from asc nulls first, valid_to asc nulls last
        ) as place,
        count(*) over (partition by setting) as period_count
    from settings

)

select
    setting,
    valid_from,
    valid_to,
    ended_before as valid_to_of_the_row_before
from periods
where
    valid_to < valid_from
    or (place = 1 and valid_from <> first_day)
    or (
        place > 1
        and coalesce({{ dbt.datediff('ended_before', 'valid_from', 'day') }}, 0) <> 1
    )
    or (place = period_count and valid_to is not null)
