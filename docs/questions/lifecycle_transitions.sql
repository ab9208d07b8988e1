-- How many mature customers declined in May?
select
    as_of_date,
    count(*) as customers
from history.lifecycle_transitions
where
    month(as_of_date) = 5
    and from_stage = 'maturity'
    and to_stage = 'decline'
group by as_of_date
order by as_of_date desc;

-- How long had they been mature?
-- In whole months, since stages are looked at on month-ends.
select
    as_of_date,
    median(days_in_former_stage) as median_days_mature,
    min(days_in_former_stage) as fewest_days_mature,
    max(days_in_former_stage) as most_days_mature
from history.lifecycle_transitions
where
    month(as_of_date) = 5
    and from_stage = 'maturity'
    and to_stage = 'decline'
group by as_of_date
order by as_of_date desc;
