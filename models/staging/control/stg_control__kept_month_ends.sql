-- Grain: one row per month-end that the published history holds.
with

kept_month_ends as (
    select * from {{ source('control', 'kept_month_ends') }}
),

renamed as (

    select
        as_of_date,
        is_marked
    from kept_month_ends

)

select * from renamed
