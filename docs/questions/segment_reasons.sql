-- Why is this customer of low value?
select
    dimensions.label_en as what,
    codes.label_en as verdict,
    measures.label_en as because_of,
    segment_reasons.value
from segment_reasons
inner join segment_labels as dimensions
    on
        dimensions.dimension = 'dimension'
        and segment_reasons.dimension = dimensions.code
inner join segment_labels as codes
    on
        segment_reasons.dimension = codes.dimension
        and segment_reasons.code = codes.code
inner join segment_labels as measures
    on
        measures.dimension = 'measure'
        and segment_reasons.measure = measures.code
where
    segment_reasons.customer_id = 'shop:C0000100'
    and segment_reasons.dimension in (
        'value_tier', 'spend_band', 'frequency_band', 'margin_band'
    )
order by dimensions.sort_order, measures.sort_order;

-- Which rule decided, by which cut?
-- A rule holds from its lower bound on and below its upper one; an empty bound is open.
select
    dimension,
    code,
    rule_id,
    measure,
    value,
    lower_bound,
    upper_bound,
    clause
from segment_reasons
where
    customer_id = 'shop:C0000100'
    and dimension in ('value_tier', 'spend_band', 'frequency_band', 'margin_band')
order by dimension, rule_id, measure;
