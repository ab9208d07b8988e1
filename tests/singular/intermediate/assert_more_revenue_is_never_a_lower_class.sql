-- No customer with more 12-month revenue is in a lower ABC class, and equal revenue
-- shares a class.
with

measures as (
    select * from {{ ref('int_customers__measures') }}
),

abc_classes as (
    select * from {{ ref('int_customers__abc_classes') }}
),

ranges_of_classes as (

    select
        abc_classes.as_of_date,
        abc_classes.abc_class,
        min(measures.net_revenue_12m) as least_revenue,
        max(measures.net_revenue_12m) as most_revenue
    from abc_classes
    inner join measures
        on
            abc_classes.as_of_date = measures.as_of_date
            and abc_classes.customer_id = measures.customer_id
    group by abc_classes.as_of_date, abc_classes.abc_class

)

select
    better.as_of_date,
    better.abc_class,
    worse.abc_class as worse_class
from ranges_of_classes as better
inner join ranges_of_classes as worse
    on
        better.as_of_date = worse.as_of_date
        and better.abc_class < worse.abc_class
where better.least_revenue <= worse.most_revenue
