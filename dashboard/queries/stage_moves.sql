-- One row per stage before and stage now, of customers who were there at both days.
select
    earlier.lifecycle_stage as from_code,
    now.lifecycle_stage as to_code,
    {attributes}
    count(*) as customers
from {population} as now
inner join {before} as earlier using (customer_id) {with_attributes}
group by all
