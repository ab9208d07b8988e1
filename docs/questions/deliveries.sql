-- Which files arrived?
select
    delivery_id,
    source,
    feed,
    file_name,
    status,
    records_counted,
    rows_landed,
    rows_quarantined
from deliveries
order by delivery_id desc
limit 20;

-- Which one was refused, and why?
select
    delivery_id,
    source,
    feed,
    file_name,
    note,
    loaded_at
from deliveries
where status = 'refused'
order by delivery_id desc
limit 20;
