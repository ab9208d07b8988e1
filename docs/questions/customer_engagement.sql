-- Who is loyal but silent, or valuable but seldom heard of?
select
    customer_engagement.customer_id,
    customer_value.value_tier,
    customer_engagement.interaction_band,
    customer_engagement.interactions_3m,
    customer_engagement.loyalty_band,
    customer_engagement.activity_status,
    customer_value.net_revenue_12m
from customer_engagement
inner join customer_value
    on customer_engagement.customer_id = customer_value.customer_id
where customer_engagement.to_activate
order by customer_value.net_revenue_12m desc, customer_engagement.customer_id asc
limit 20;

-- Who gave a bad answer, or waits for one?
-- Bad is a mean satisfaction under 3 of 5, or a recommendation of 6 of 10 or less. Who gave
-- one and waits comes first.
with

opinions as (

    select
        customer_id,
        open_ticket_count,
        csat_average_12m,
        nps_answer,
        coalesce(csat_average_12m < 3, false) or coalesce(nps_answer <= 6, false)
            as has_answered_badly,
        coalesce(open_ticket_count > 0, false) as is_waiting
    from customer_engagement

)

select
    customer_id,
    has_answered_badly,
    round(csat_average_12m, 2) as csat_average_12m,
    nps_answer,
    is_waiting,
    open_ticket_count
from opinions
where has_answered_badly or is_waiting
order by
    has_answered_badly and is_waiting desc,
    open_ticket_count desc nulls last,
    nps_answer asc nulls last,
    customer_id asc
limit 20;
