-- Forecasts in steps of equal ratio: a bin is from `lower_bound` to four times the step above it.
select
    case
        when clv_predicted < 1 then -1
        else floor(4 * log10(clv_predicted::double))::int
    end as bin,
    count(*) as customers,
    sum(clv_predicted) as clv_predicted
from {population}
where clv_predicted is not null
group by all
order by bin
