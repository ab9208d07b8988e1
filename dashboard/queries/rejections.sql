select source, feed, rejection_reason, count(*) as records
from marts.main.rejected_rows
group by all
order by records desc, source, feed, rejection_reason
