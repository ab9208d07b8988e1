-- One row per month-end (and the newest as-of): the customers of one code.
select as_of_date, count(*) as customers
from history.main.customer_segments_history
where as_of_date <= $as_of and {column} = $code and {selected}
group by all
union all
select as_of_date, count(*) as customers
from marts.main.customer_segments
where as_of_date <= $as_of and {column} = $code and {selected}
group by all
order by as_of_date
