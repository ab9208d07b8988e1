-- The newest as-of, then the month-ends of the history before it.
select as_of_date from marts.main.segment_summary
union
select distinct as_of_date from history.main.customer_segments_history
order by as_of_date desc
