-- Where did last month's top customers go?
-- From the last month-end but one to the last.
select
    segment_migrations.from_as_of,
    segment_migrations.as_of_date,
    coalesce(segment_labels.label_en, 'Gone') as segment_after,
    sum(segment_migrations.customers) as customers,
    sum(segment_migrations.opening_net_revenue_12m) as opening_net_revenue_12m,
    sum(segment_migrations.closing_net_revenue_12m) as closing_net_revenue_12m
from history.segment_migrations
left join segment_labels
    on
        segment_migrations.dimension = segment_labels.dimension
        and segment_migrations.to_segment = segment_labels.code
where
    segment_migrations.dimension = 'final_segment'
    and segment_migrations.from_segment = 'top'
    and segment_migrations.as_of_date = (
        select max(newest.as_of_date) from history.segment_migrations as newest
    )
group by
    segment_migrations.from_as_of,
    segment_migrations.as_of_date,
    segment_labels.label_en,
    segment_labels.sort_order
order by segment_labels.sort_order nulls last;

-- How much of it was their doing, and how much a new rule?
-- Of those who left top: new orders and refunds are the customers' doing.
select
    segment_labels.label_en as cause,
    segment_labels.label_zh as cause_zh,
    sum(segment_migrations.customers) as customers,
    sum(segment_migrations.opening_net_revenue_12m) as opening_net_revenue_12m
from history.segment_migrations
inner join segment_labels
    on
        segment_labels.dimension = 'cause'
        and segment_migrations.cause = segment_labels.code
where
    segment_migrations.dimension = 'final_segment'
    and segment_migrations.from_segment = 'top'
    and segment_migrations.cause != 'stayed'
    and segment_migrations.as_of_date = (
        select max(newest.as_of_date) from history.segment_migrations as newest
    )
group by
    segment_labels.label_en, segment_labels.label_zh, segment_labels.sort_order
order by segment_labels.sort_order;
