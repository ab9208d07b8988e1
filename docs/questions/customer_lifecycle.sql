-- Who is new, growing, mature, declining or gone?
select
    segment_labels.label_en as stage,
    segment_labels.label_zh as stage_zh,
    count(*) as customers,
    round(count(*) / sum(count(*)) over (), 3) as share,
    median(customer_lifecycle.tenure_days) as usual_tenure_days
from customer_lifecycle
inner join segment_labels
    on
        segment_labels.dimension = 'lifecycle_stage'
        and customer_lifecycle.lifecycle_stage = segment_labels.code
group by
    segment_labels.label_en, segment_labels.label_zh, segment_labels.sort_order
order by segment_labels.sort_order;

-- In how many days does a customer count as lost?
-- If it orders no more: when its last order is too long ago for anybody, or, once it is
-- silent for as long as that rule asks, when `days_until_churn` falls below 0. Both bounds
-- are taken from the reasons of those who are lost already.
with

bounds as (

    select
        max(lower_bound) filter (where rule_id = 'lifecycle_stage.churned_long_ago')
            as long_ago_days,
        max(lower_bound) filter (where rule_id = 'lifecycle_stage.churned_by_rhythm')
            as silent_days
    from segment_reasons
    where measure = 'recency_days'

),

outlooks as (

    select
        customer_lifecycle.customer_id,
        customer_lifecycle.lifecycle_stage,
        bounds.long_ago_days - customer_engagement.days_since_last_order
            as days_by_age,
        case
            when customer_lifecycle.days_until_churn is not null
                then greatest(
                    bounds.silent_days - customer_engagement.days_since_last_order,
                    floor(customer_lifecycle.days_until_churn) + 1
                )
        end as days_by_rhythm
    from customer_lifecycle
    inner join customer_engagement
        on customer_lifecycle.customer_id = customer_engagement.customer_id
    cross join bounds
    where customer_lifecycle.lifecycle_stage not in ('acquisition', 'churned')

)

select
    customer_id,
    lifecycle_stage,
    cast(least(days_by_age, coalesce(days_by_rhythm, days_by_age)) as integer)
        as days_until_lost
from outlooks
order by days_until_lost, customer_id
limit 20;
