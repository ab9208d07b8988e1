-- Net revenue of known customers by month and by what they can be filtered by.
select
    date_trunc('month', ledger.ledger_date)::date as month,
    coalesce(profiles.country, 'unknown') as country,
    profiles.customer_type,
    profiles.channel_preference,
    sum(ledger.net_amount) as net_revenue
from facts.main.sales_ledger as ledger
inner join marts.main.customer_profiles as profiles
    on ledger.customer_id = profiles.customer_id
group by all
order by month
