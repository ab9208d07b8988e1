-- One row per day of the history and code of the dimensions asked for.
with

days as (

    select customer_id, as_of_date, {column}
    from history.main.customer_segments_history
    union all
    select customer_id, as_of_date, {column}
    from marts.main.customer_segments

),

together as (

    select as_of_date, {column}, {attributes} count(*) as customers
    from days {with_attributes}
    group by all

),

each_one as (

    select * from together
    unpivot (code for dimension in ({column}))

)

select
    as_of_date,
    dimension,
    code,
    {attributes}
    sum(customers)::bigint as customers
from each_one
group by all
order by as_of_date, dimension, code
