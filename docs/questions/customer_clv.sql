-- What will this customer bring in the next 365 days, within which bounds?
-- In `clv_basis`, margin or revenue; the bounds are those of the 80% interval.
select
    customer_clv.customer_id,
    customer_clv.clv_basis,
    customer_clv.clv_predicted,
    customer_clv.clv_lower,
    customer_clv.clv_upper,
    round(customer_clv.expected_orders, 1) as expected_orders,
    segment_labels.label_en as grounds
from customer_clv
inner join segment_labels
    on
        segment_labels.dimension = 'clv_reason'
        and customer_clv.clv_reason = segment_labels.code
where customer_clv.customer_id = 'shop:C0000001';

-- Who is due to order this week, and who has probably left?
-- The ten of either kind that brought most so far.
with

outlooks as (

    select
        customer_id,
        clv_historic_revenue,
        round(p_alive, 3) as p_alive,
        expected_next_order_date,
        case
            when p_alive < 0.5 then 'has probably left'
            when expected_next_order_date <= as_of_date + 7 then 'is due this week'
        end as outlook
    from customer_clv

)

select
    outlook,
    customer_id,
    clv_historic_revenue,
    p_alive,
    expected_next_order_date
from outlooks
where outlook is not null
qualify
    row_number() over (
        partition by outlook
        order by clv_historic_revenue desc, customer_id asc
    ) <= 10
order by outlook desc, clv_historic_revenue desc, customer_id asc;
