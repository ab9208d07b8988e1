-- Everybody who exists on an as-of date is segmented on it, exactly once, and nobody
-- else is.
with

customers as (
    select * from {{ ref('int_customers__at_as_of') }}
),

segments as (

    select
        as_of_date,
        customer_id,
        count(*) as row_count
    from {{ ref('int_customers__segments') }}
    group by as_of_date, customer_id

)

select
    coalesce(customers.as_of_date, segments.as_of_date) as as_of_date,
    coalesce(customers.customer_id, segments.customer_id) as customer_id
from customers
full outer join segments
    on
        customers.as_of_date = segments.as_of_date
        and customers.customer_id = segments.customer_id
where
    customers.customer_id is null
    or segments.customer_id is null
    or segments.row_count <> 1
