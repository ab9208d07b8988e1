-- One row per day of the history, code and what customers can be filtered by.
with

days as (

    select as_of_date, customer_id, {column} as code
    from history.main.customer_segments_history
    where {column} is not null
    union all
    select as_of_date, customer_id, {column} as code
    from marts.main.customer_segments
    where {column} is not null

)

select
    days.as_of_date,
    days.code,
    coalesce(profiles.country, 'unknown') as country,
    profiles.customer_type,
    profiles.channel_preference,
    count(*) as customers
from days
inner join marts.main.customer_profiles as profiles
    on days.customer_id = profiles.customer_id
group by all
order by days.as_of_date, days.code
