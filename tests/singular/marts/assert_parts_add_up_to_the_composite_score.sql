-- The parts of the composite score are what their weights allow and add up to it, to the hundredth.
with

customer_value as (
    select * from {{ ref('customer_value') }}
    where composite_score is not null
)

select
    customer_id,
    composite_score
from customer_value
where
    composite_score
    <> composite_spend + composite_frequency + composite_loyalty + composite_potential
    or composite_score < 0
    or composite_score > 100
