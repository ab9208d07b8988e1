-- Grain: one row per month-end that a comparison with earlier month-ends may read otherwise now.
-- What a month-end is compared with lies before it, so all from the first that changes on.
with

touched_month_ends as (
    select * from {{ ref('int_month_ends__touched') }}
),

first_touched as (

    select min(touched_id) as first_date from touched_month_ends

),

known_month_ends as (

    select as_of_date from {{ ref('int_month_ends') }}
    union
    select touched_id as as_of_date from touched_month_ends

),

affected as (

    select known_month_ends.as_of_date as touched_id
    from known_month_ends
    inner join first_touched
        on known_month_ends.as_of_date >= first_touched.first_date

)

select * from affected
