-- The history holds no month-end but those that it should, and of each that this build
-- computed exactly the customers that existed on it, once.
with

month_ends as (
    select * from {{ ref('int_month_ends') }}
),

history_counts as (

    select
        history.as_of_date,
        count(*) as row_count,
        count(distinct case when not month_ends.is_kept then history.customer_id end)
            as customer_count
    from {{ ref('customer_segments_history') }} as history
    left join month_ends
        on history.as_of_date = month_ends.as_of_date
    group by history.as_of_date

),

expected_counts as (

    select
        as_of_date,
        count(*) as customer_count
    from {{ ref('int_customers__at_as_of') }}
    group by as_of_date

)

select coalesce(month_ends.as_of_date, history_counts.as_of_date) as as_of_date
from month_ends
full outer join history_counts
    on month_ends.as_of_date = history_counts.as_of_date
left join expected_counts
    on month_ends.as_of_date = expected_counts.as_of_date
where
    month_ends.as_of_date is null
    or (
        not month_ends.is_kept
        and (
            coalesce(history_counts.row_count, 0)
            <> coalesce(expected_counts.customer_count, 0)
            or coalesce(history_counts.customer_count, 0)
            <> coalesce(expected_counts.customer_count, 0)
        )
    )
