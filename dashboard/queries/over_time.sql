-- One row per day of the history and code of the dimensions asked for.
with

together as (

    select as_of_date, {column}, count(*) as customers
    from history.main.customer_segments_history
    group by all
    union all
    select as_of_date, {column}, count(*) as customers
    from marts.main.customer_segments
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
    sum(customers)::bigint as customers
from each_one
group by all
order by as_of_date, dimension, code
