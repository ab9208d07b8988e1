-- Who overruled the rules, and on what evidence?
select
    author,
    customer_id,
    model_segment_before,
    segment as segment_set,
    valid_from,
    override_status,
    reason,
    evidence
from override_ledger
order by valid_from desc, override_id asc
limit 20;

-- Were they right three months later?
-- Right means that the rules, which do not know of it, came to say the same.
select
    segment_labels.label_en as outcome,
    segment_labels.label_zh as outcome_zh,
    count(*) as overrides,
    sum(override_ledger.net_revenue_3m_before) as net_revenue_3m_before,
    sum(override_ledger.net_revenue_3m_after) as net_revenue_3m_after
from override_ledger
inner join segment_labels
    on
        segment_labels.dimension = 'override_outcome'
        and override_ledger.override_outcome = segment_labels.code
group by
    segment_labels.label_en, segment_labels.label_zh, segment_labels.sort_order
order by segment_labels.sort_order;
