-- One row per day of the history, code of the dimensions asked for and what customers can be filtered
-- by. Customers are read once for all dimensions.
with

days as (

    select as_of_date, customer_id, {column}
    from history.main.customer_segments_history
    union all
    select as_of_date, customer_id, {column}
    from marts.main.customer_segments

),

together as (

    select
        days.as_of_date,
        {column},
        coalesce(profiles.country, 'unknown') as country,
        profiles.customer_type,
        profiles.channel_preference,
        count(*) as customers
    from days
    inner join marts.main.customer_profiles as profiles
        on days.customer_id = profiles.customer_id
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
    country,
    customer_type,
    channel_preference,
    sum(customers)::bigint as customers
from each_one
group by all
order by as_of_date, dimension, code
