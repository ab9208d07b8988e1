-- Each customer type ranks every core need, and each known type has exactly one that is
-- assumed of it; nothing is assumed of the unknown type.
with

core_needs as (
    select * from {{ ref('core_needs') }}
),

customer_types as (

    select 'business' as customer_type
    union all
    select 'consumer' as customer_type
    union all
    select 'unknown' as customer_type

),

needs as (

    select core_need
    from core_needs
    group by core_need

)

select customer_types.customer_type
from customer_types
cross join needs
left join core_needs
    on
        customer_types.customer_type = core_needs.customer_type
        and needs.core_need = core_needs.core_need
group by customer_types.customer_type
having
    count(core_needs.core_need) <> count(*)
    or count(*) filter (where core_needs.is_default)
    <> case when customer_types.customer_type = 'unknown' then 0 else 1 end
