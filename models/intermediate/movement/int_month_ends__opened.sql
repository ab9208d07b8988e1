-- Grain: one row per month-end whose moves since the month-end before an increment replaces or drops.
-- A month-end whose predecessor leaves the history has nothing to be compared with any more.
with

touched as (
    select * from {{ ref('int_month_ends__touched') }}
),

month_ends as (
    select * from {{ ref('int_month_ends') }}
),

orphaned as (

    select
        last_day(
            cast({{ dbt.dateadd('day', 1, 'touched.touched_id') }} as date)
        ) as touched_id
    from touched
    left join month_ends
        on touched.touched_id = month_ends.as_of_date
    where month_ends.as_of_date is null

),

opened as (

    select touched_id from touched
    union
    select touched_id from orphaned

)

select * from opened
