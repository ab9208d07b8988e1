-- Does customer revenue plus guests equal the ledger?
select
    mart,
    measure,
    mart_total,
    guest_total,
    ledger_total,
    mart_total + guest_total = ledger_total as is_equal
from reconciliation
where measure = 'net_revenue_12m'
order by mart;

-- Which mart is off, and by how much?
-- None: a build with a difference is not published.
select
    mart,
    measure,
    difference
from reconciliation
where difference != 0
order by abs(difference) desc, reconciliation_id;
