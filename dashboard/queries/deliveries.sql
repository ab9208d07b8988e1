-- One row per feed: what was delivered, and when last.
select
    source,
    feed,
    count(*) filter (where status = 'landed') as landed,
    count(*) filter (where status = 'refused') as refused,
    count(*) filter (where status not in ('landed', 'refused')) as others,
    sum(rows_landed) filter (where status = 'landed') as rows_landed,
    sum(rows_quarantined) filter (where status = 'landed') as rows_quarantined,
    max(loaded_at) as last_loaded_at
from marts.main.deliveries
group by all
order by source, feed
