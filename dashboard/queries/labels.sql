select dimension, code, label_en, label_zh
from marts.main.segment_labels
order by dimension, sort_order, code
