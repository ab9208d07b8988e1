-- What is `at_risk` called in Chinese?
select
    dimension,
    code,
    label_en,
    label_zh
from segment_labels
where code = 'at_risk'
order by dimension;

-- In which order do segments stand in a chart?
select
    sort_order,
    code,
    label_en,
    label_zh
from segment_labels
where dimension = 'final_segment'
order by sort_order;
