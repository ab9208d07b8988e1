-- Net revenue by month, guests and unknown customers included.
select
    date_trunc('month', ledger_date)::date as month,
    sum(net_amount) as net_revenue
from facts.main.sales_ledger
group by all
order by month
