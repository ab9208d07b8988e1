-- A business has a revenue band and no age band, a consumer an age band and neither revenue
-- band nor industry, who is of no known type none of them.
select customer_id
from {{ ref('customer_profiles') }}
where
    (revenue_band is not null) <> (customer_type = 'business')
    or (age_band is not null) <> (customer_type = 'consumer')
    or (industry is not null and customer_type <> 'business')
