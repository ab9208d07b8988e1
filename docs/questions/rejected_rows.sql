-- How many orders were cancelled or in an unknown currency?
select
    segment_labels.label_en as why,
    segment_labels.label_zh as why_zh,
    count(distinct rejected_rows.record_id) as orders
from rejected_rows
inner join segment_labels
    on
        segment_labels.dimension = 'rejection_reason'
        and rejected_rows.rejection_reason = segment_labels.code
where
    rejected_rows.feed = 'orders'
    and rejected_rows.rejection_reason in ('status_cancelled', 'unknown_currency')
group by
    segment_labels.label_en, segment_labels.label_zh, segment_labels.sort_order
order by segment_labels.sort_order;

-- Which file holds the record that failed?
-- What ingestion set aside could not be read; what staging did is against a rule.
select
    deliveries.file_name,
    rejected_rows.record_number,
    rejected_rows.record_id,
    rejected_rows.column_name,
    rejected_rows.set_aside_by,
    rejected_rows.rejection_reason
from rejected_rows
inner join deliveries
    on rejected_rows.delivery_id = deliveries.delivery_id
order by
    rejected_rows.set_aside_by asc,
    deliveries.delivery_id desc,
    rejected_rows.record_number asc
limit 20;
