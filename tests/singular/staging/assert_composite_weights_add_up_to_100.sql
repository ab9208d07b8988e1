-- On every day each part of the composite score has one weight, and they add up to 100.
with

composite_weights as (
    select * from {{ ref('composite_weights') }}
),

days_of_change as (

    select valid_from as change_date
    from composite_weights
    union
    select cast({{ dbt.dateadd('day', 1, 'valid_to') }} as date) as change_date
    from composite_weights
    where valid_to is not null

)

select days_of_change.change_date
from days_of_change
left join composite_weights
    on {{ holds_on('composite_weights', 'days_of_change.change_date') }}
group by days_of_change.change_date
having
    coalesce(sum(composite_weights.weight), 0) <> 100
    or count(*) <> count(distinct composite_weights.part)
    or count(*) filter (
        where composite_weights.part in ('spend', 'frequency', 'loyalty', 'potential')
    ) <> 4
