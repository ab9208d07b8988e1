-- What was net revenue on a day?
-- Refunds count on their own day; a day without entries has no row.
select
    ledger_date,
    sum(net_amount) as net_revenue,
    sum(net_amount) filter (where net_amount < 0) as taken_back
from facts.sales_ledger
group by ledger_date
order by ledger_date desc
limit 14;

-- How much came from guests?
-- Orders without a customer are in every total, and in no segment.
select
    year(ledger_date) as ledger_year,
    sum(net_amount) as net_revenue,
    coalesce(sum(net_amount) filter (where customer_id is null), 0.00)
        as guests_net_revenue
from facts.sales_ledger
group by ledger_year
order by ledger_year desc;
