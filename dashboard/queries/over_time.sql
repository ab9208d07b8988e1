-- One row per day of the history and code.
select
    as_of_date,
    {column} as code,
    count(*) as customers
from history.main.customer_segments_history
where {column} is not null
group by all
union all
select
    as_of_date,
    {column} as code,
    count(*) as customers
from marts.main.customer_segments
where {column} is not null
group by all
order by as_of_date, code
