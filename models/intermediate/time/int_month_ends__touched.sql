-- Grain: one row per month-end whose rows in the history an increment replaces or drops.
with

month_ends as (
    select * from {{ ref('int_month_ends') }}
),

kept_month_ends as (
    select * from {{ ref('stg_control__kept_month_ends') }}
),

replaced as (

    select as_of_date as touched_id
    from month_ends
    where not is_kept

),

-- Month-ends that have grown older than history_months.
dropped as (

    select kept_month_ends.as_of_date as touched_id
    from kept_month_ends
    left join month_ends
        on kept_month_ends.as_of_date = month_ends.as_of_date
    where month_ends.as_of_date is null

),

touched_month_ends as (

    select * from replaced
    union all
    select * from dropped

)

select * from touched_month_ends
