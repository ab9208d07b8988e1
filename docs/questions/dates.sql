-- Which days are month-ends?
select date_day
from facts.dates
where is_month_end
order by date_day desc
limit 12;

-- Which weekday was it?
-- Of each of the last seven days.
select
    date_day,
    weekday_number,
    dayname(date_day) as weekday
from facts.dates
order by date_day desc
limit 7;
