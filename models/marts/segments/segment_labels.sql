-- Grain: one row per code of a dimension, in English and Chinese.
with

labels as (
    select * from {{ ref('labels') }}
),

published_labels as (

    select
        dimension || ':' || code as segment_label_id,
        dimension,
        code,
        label_en,
        label_zh,
        cast(sort_order as int) as sort_order
    from labels

)

select * from published_labels
