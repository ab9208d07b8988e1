-- What do business customers complain about?
-- By the topic that most of a customer's complaints of 12 months were about.
select
    segment_labels.label_en as topic,
    segment_labels.label_zh as topic_zh,
    count(*) as customers,
    sum(customer_profiles.complaints_12m) as their_complaints,
    sum(customer_profiles.net_revenue_12m) as net_revenue_12m
from customer_profiles
inner join segment_labels
    on
        segment_labels.dimension = 'topic'
        and customer_profiles.top_complaint_topic_12m = segment_labels.code
where customer_profiles.customer_type = 'business'
group by
    segment_labels.label_en, segment_labels.label_zh, segment_labels.sort_order
order by customers desc, segment_labels.sort_order asc;

-- Who prefers premium products, and buys online?
select
    customer_id,
    customer_type,
    round(premium_revenue_share_12m, 3) as premium_revenue_share_12m,
    round(online_share_12m, 3) as online_share_12m,
    top_category_1,
    net_revenue_12m
from customer_profiles
where product_preference = 'premium' and channel_preference = 'online'
order by net_revenue_12m desc, customer_id asc
limit 20;
