-- Net revenue by month, guests and unknown customers included; they have no attributes.
select
    date_trunc('month', ledger_date)::date as month,
    {attributes}
    sum(net_amount) as net_revenue
from facts.main.sales_ledger {with_attributes}
group by all
order by month
