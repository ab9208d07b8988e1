-- Every dimension and measure of a reason, and every code that it explains, has a label in
-- English and Chinese: the explanation of a customer consists of these.
with

reasons as (

    select
        dimension,
        code,
        measure
    from {{ ref('segment_reasons') }}
    group by dimension, code, measure

),

words as (

    select
        'dimension' as dimension,
        dimension as code
    from reasons
    union
    select
        'measure' as dimension,
        measure as code
    from reasons
    union
    -- A score is its own name.
    select
        dimension,
        code
    from reasons
    where dimension not in ('r_score', 'f_score', 'm_score')

),

segment_labels as (
    select * from {{ ref('segment_labels') }}
)

select
    words.dimension,
    words.code
from words
left join segment_labels
    on
        words.dimension = segment_labels.dimension
        and words.code = segment_labels.code
where segment_labels.label_en is null or segment_labels.label_zh is null
