-- At each month-end whose 91 days are over the segments of a dimension hold every customer of the
-- history that has a code in it, and dimensions in which everybody has one know the same orders and
-- the same revenue.
{%- set dimensions = [
    'headline_segment', 'model_segment', 'final_segment', 'rfm_segment', 'value_tier',
    'spend_band', 'frequency_band', 'margin_band', 'abc_class', 'order_value_group', 'activity_status',
    'interaction_band', 'cycle_band', 'loyalty_band', 'relationship_tier',
    'lifecycle_stage',
] %}
with

counts as (

    select
        {% for dimension in dimensions %}
        count(history.{{ dimension }}) as {{ dimension }},
        {% endfor %}
        history.as_of_date,
        count(*) as customers
    from {{ ref('customer_segments_history') }} as history
    inner join {{ ref('int_month_ends__closed') }} as month_ends
        on history.as_of_date = month_ends.as_of_date
    group by history.as_of_date

),

expected as (
    {% for dimension in dimensions %}
    select
        as_of_date,
        '{{ dimension }}' as dimension,
        {{ dimension }} as customers,
        customers as everybody
    from counts
    {% if not loop.last %}
    union all
    {% endif %}
    {% endfor %}
),

found as (

    select
        as_of_date,
        dimension,
        sum(customers) as customers,
        sum(orders_next_3m) as orders,
        sum(net_revenue_next_3m) as revenue
    from {{ ref('segment_performance') }}
    group by as_of_date, dimension

),

compared as (

    select
        coalesce(expected.as_of_date, found.as_of_date) as as_of_date,
        coalesce(expected.dimension, found.dimension) as dimension,
        coalesce(expected.customers, 0) as customers,
        coalesce(found.customers, 0) as found_customers,
        coalesce(expected.customers = expected.everybody, false) as holds_everybody,
        found.orders,
        found.revenue
    from expected
    full outer join found
        on
            expected.as_of_date = found.as_of_date
            and expected.dimension = found.dimension

),

with_whole as (

    select
        *,
        max(orders) over whole as most_orders,
        min(orders) over whole as fewest_orders,
        max(revenue) over whole as most_revenue,
        min(revenue) over whole as least_revenue
    from compared
    window whole as (partition by as_of_date, holds_everybody)

)

select
    as_of_date,
    dimension
from with_whole
where
    customers <> found_customers
    or (
        holds_everybody
        and (most_orders <> fewest_orders or most_revenue <> least_revenue)
    )
