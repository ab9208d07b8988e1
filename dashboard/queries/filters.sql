-- What customers can be filtered by, the most frequent first.
select 'countries' as filter, coalesce(country, 'unknown') as code, count(*) as customers
from marts.main.customer_profiles
group by all
union all
select 'types' as filter, customer_type as code, count(*) as customers
from marts.main.customer_profiles
group by all
union all
select 'channels' as filter, channel_preference as code, count(*) as customers
from marts.main.customer_profiles
group by all
order by filter, customers desc, code
