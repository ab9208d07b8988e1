-- What opens a month and enters is what closes it and exits, customer for customer and segment
-- for segment, as the history has them; so is the money.
{%- set codes = {
    'final_segment': 'final_segment',
    'value_tier': "coalesce(value_tier, 'no_order')",
    'order_value_group': 'order_value_group',
    'lifecycle_stage': 'lifecycle_stage'
} %}
with

migrations as (
    select * from {{ ref('segment_migrations') }}
),

month_ends as (

    select
        dimension,
        from_as_of,
        as_of_date
    from migrations
    group by dimension, from_as_of, as_of_date

),

held as (
    {% for dimension, code in codes.items() %}
    select
        '{{ dimension }}' as dimension,
        as_of_date,
        {{ code }} as segment,
        count(*) as customers,
        sum(net_revenue_12m) as net_revenue_12m
    from {{ ref('customer_segments_history') }}
    group by as_of_date, {{ code }}
    {% if not loop.last %}
    union all
    {% endif %}
    {% endfor %}
),

sides as (

    select
        'opening' as side,
        month_ends.dimension,
        month_ends.as_of_date,
        held.segment,
        held.customers,
        held.net_revenue_12m
    from month_ends
    inner join held
        on
            month_ends.dimension = held.dimension
            and month_ends.from_as_of = held.as_of_date

    union all

    select
        'closing' as side,
        month_ends.dimension,
        month_ends.as_of_date,
        held.segment,
        held.customers,
        held.net_revenue_12m
    from month_ends
    inner join held
        on
            month_ends.dimension = held.dimension
            and month_ends.as_of_date = held.as_of_date

    union all

    select
        'opening' as side,
        dimension,
        as_of_date,
        from_segment as segment,
        -customers as customers,
        -opening_net_revenue_12m as net_revenue_12m
    from migrations
    where from_segment is not null

    union all

    select
        'closing' as side,
        dimension,
        as_of_date,
        to_segment as segment,
        -customers as customers,
        -closing_net_revenue_12m as net_revenue_12m
    from migrations
    where to_segment is not null

)

select
    side,
    dimension,
    as_of_date,
    segment
from sides
group by side, dimension, as_of_date, segment
having sum(customers) <> 0 or sum(net_revenue_12m) <> 0
