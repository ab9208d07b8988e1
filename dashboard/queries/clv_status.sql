select
    source,
    clv_status,
    clv_reason,
    clv_basis,
    count(*) as customers
from marts.main.customer_clv
inner join marts.main.customer_segments using (customer_id, as_of_date, clv_status)
group by all
order by customers desc
