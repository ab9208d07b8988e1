select
    count(clv_predicted) as forecasts,
    sum(clv_predicted) as clv_predicted,
    median(clv_predicted) as clv_median,
    avg(p_alive) as p_alive,
    count(*) filter (where p_alive >= 0.5) as probably_alive
from {population}
