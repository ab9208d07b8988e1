-- Net revenue by month and by what customers can be filtered by; guests and unknown customers apart.
select
    date_trunc('month', ledger.ledger_date)::date as month,
    profiles.customer_id is not null as is_known,
    coalesce(profiles.country, 'unknown') as country,
    profiles.customer_type,
    profiles.channel_preference,
    sum(ledger.net_amount) as net_revenue
from facts.main.sales_ledger as ledger
left join marts.main.customer_profiles as profiles
    on ledger.customer_id = profiles.customer_id
group by all
order by month
