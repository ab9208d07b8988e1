-- Who complained lately?
select
    interactions.customer_id,
    interactions.occurred_at,
    interactions.channel,
    segment_labels.label_en as topic,
    interactions.resolved_at,
    customer_segments.final_segment
from facts.interactions
inner join customer_segments
    on interactions.customer_id = customer_segments.customer_id
left join segment_labels
    on
        segment_labels.dimension = 'topic'
        and interactions.topic = segment_labels.code
where interactions.interaction_type = 'complaint'
order by interactions.occurred_at desc, interactions.interaction_id asc
limit 20;

-- Which customers answered a survey?
-- CSAT is satisfaction, 1 to 5, NPS whether they would recommend us, 0 to 10.
select
    customer_id,
    count(*) filter (where interaction_type = 'csat') as csat_answers,
    count(*) filter (where interaction_type = 'nps') as nps_answers,
    max(occurred_at) as last_answer_at
from facts.interactions
where interaction_type in ('csat', 'nps')
group by customer_id
order by last_answer_at desc, customer_id asc
limit 20;
