-- Which purchase models were fitted, and did they converge?
-- Only a converged fit is used; `model` is what the one asked for ended as.
select
    source,
    asked_model,
    model,
    status,
    max(customers) as customers,
    round(max(log_likelihood), 2) as log_likelihood
from clv_parameters
where
    asked_model != 'gamma_gamma'
    and as_of_date = (select max(newest.as_of_date) from clv_parameters as newest)
group by source, asked_model, model, status
order by source, asked_model;

-- How do they differ from last month's?
-- Parameters of the newest as-of beside those of the month-end before it.
select
    source,
    asked_model,
    parameter,
    round(value, 4) as value,
    round(
        lag(value) over (
            partition by source, asked_model, parameter
            order by as_of_date
        ), 4
    ) as value_before
from clv_parameters
where asked_model != 'gamma_gamma'
qualify as_of_date = max(as_of_date) over ()
order by source, asked_model, parameter;
