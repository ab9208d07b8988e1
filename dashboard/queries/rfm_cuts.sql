select dimension, measure, score, lower_bound, upper_bound, customers, rfm_method
from history.main.rfm_cuts
where as_of_date = (select max(as_of_date) from history.main.rfm_cuts where as_of_date <= $as_of)
order by dimension desc, score desc
