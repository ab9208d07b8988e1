select distinct as_of_date, from_as_of
from history.main.segment_migrations
order by as_of_date desc
