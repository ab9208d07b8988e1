-- On every day each level of value and potential has exactly one quadrant.
with

quadrants as (
    select * from {{ ref('value_potential_quadrants') }}
),

days_of_change as (

    select valid_from as change_date
    from quadrants
    union
    select cast({{ dbt.dateadd('day', 1, 'valid_to') }} as date) as change_date
    from quadrants
    where valid_to is not null

),

sides as (

    select 'high' as side
    union all
    select 'low' as side

)

select
    days_of_change.change_date,
    value_sides.side as value_level,
    potential_sides.side as potential_band
from days_of_change
cross join sides as value_sides
cross join sides as potential_sides
left join quadrants
    on
        value_sides.side = quadrants.value_level
        and potential_sides.side = quadrants.potential_band
        and {{ holds_on('quadrants', 'days_of_change.change_date') }}
group by days_of_change.change_date, value_sides.side, potential_sides.side
having count(quadrants.value_potential_quadrant) <> 1
