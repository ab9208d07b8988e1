select mart, measure, mart_total, guest_total, ledger_total, difference
from marts.main.reconciliation
order by mart, measure
