-- What a refund of an order pays back on its lines adds up to the refund, to the cent.
with

refunds as (
    select * from {{ ref('int_refunds__united') }}
    where order_id is not null
),

allocations as (

    select
        refund_id,
        sum(line_refund_amount) as allocated_amount
    from {{ ref('int_refunds__allocated') }}
    group by refund_id

)

select coalesce(refunds.refund_id, allocations.refund_id) as refund_id
from refunds
full outer join allocations
    on refunds.refund_id = allocations.refund_id
where coalesce(refunds.refund_amount, 0) <> coalesce(allocations.allocated_amount, 0)
