-- One row per stage before and stage now and what customers can be filtered by, of customers who were
-- there at both days.
select
    earlier.lifecycle_stage as from_code,
    now.lifecycle_stage as to_code,
    coalesce(profiles.country, 'unknown') as country,
    profiles.customer_type,
    profiles.channel_preference,
    count(*) as customers
from {population} as now
inner join {before} as earlier on now.customer_id = earlier.customer_id
inner join marts.main.customer_profiles as profiles on now.customer_id = profiles.customer_id
group by all
