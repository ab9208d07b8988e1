-- On every day each level of order frequency and value has exactly one group; only no
-- order has no value.
with

bands as (
    select * from {{ ref('bands') }}
    where dimension = 'order_frequency'
),

order_value_groups as (
    select * from {{ ref('order_value_groups') }}
),

days_of_change as (

    select valid_from as change_date
    from order_value_groups
    union
    select cast({{ dbt.dateadd('day', 1, 'valid_to') }} as date) as change_date
    from order_value_groups
    where valid_to is not null

),

levels as (

    select
        code as frequency_level,
        case when code = 'none' then 'none' else 'low' end as value_level
    from bands
    group by code
    union
    select
        code as frequency_level,
        'high' as value_level
    from bands
    where code <> 'none'

)

select
    days_of_change.change_date,
    levels.frequency_level,
    levels.value_level
from days_of_change
cross join levels
left join order_value_groups
    on
        levels.frequency_level = order_value_groups.frequency_level
        and levels.value_level = order_value_groups.value_level
        and days_of_change.change_date >= order_value_groups.valid_from
        and (
            order_value_groups.valid_to is null
            or days_of_change.change_date <= order_value_groups.valid_to
        )
group by days_of_change.change_date, levels.frequency_level, levels.value_level
having count(order_value_groups.order_value_group) <> 1
