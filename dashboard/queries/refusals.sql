select delivery_id, source, feed, file_name, status, note, loaded_at
from marts.main.deliveries
where status <> 'landed'
order by delivery_id desc
limit 50
