-- Grain: one row per month-end whose 91 days after are over, dimension and segment of it.
-- Who was in a segment is what the history says, also of month-ends that it keeps; what they did next
-- is what is known today.
{% set dimensions = [
    'headline_segment', 'model_segment', 'final_segment', 'rfm_segment', 'value_tier', 'spend_band', 'frequency_band',
    'margin_band', 'abc_class', 'order_value_group', 'activity_status',
    'interaction_band', 'cycle_band', 'loyalty_band', 'relationship_tier',
    'lifecycle_stage'
] %}

with

history as (
    select * from {{ ref('customer_segments_history') }}
),

month_ends as (
    select * from {{ ref('int_month_ends__closed') }}
),

next_quarter as (
    select * from {{ ref('int_customers__next_quarter') }}
),

-- Few combinations of codes exist, so that customers are read once and not once per dimension.
outcomes as (

    select
        {% for dimension in dimensions %}
        history.{{ dimension }},
        {% endfor %}
        month_ends.as_of_date,
        month_ends.closes_on,
        count(*) as customers,
        count(*) filter (where next_quarter.orders_next_3m > 0) as returning_customers,
        sum(next_quarter.orders_next_3m) as orders_next_3m,
        sum(next_quarter.net_revenue_next_3m) as net_revenue_next_3m
    from history
    inner join month_ends
        on history.as_of_date = month_ends.as_of_date
    left join next_quarter
        on
            history.as_of_date = next_quarter.as_of_date
            and history.customer_id = next_quarter.customer_id
    group by all

),

segments as (

    {% for dimension in dimensions %}
    select
        as_of_date,
        closes_on,
        '{{ dimension }}' as dimension,
        {{ dimension }} as segment,
        sum(customers) as customers,
        sum(returning_customers) as returning_customers,
        coalesce(sum(orders_next_3m), 0) as orders_next_3m,
        coalesce(sum(net_revenue_next_3m), 0) as net_revenue_next_3m
    from outcomes
    where {{ dimension }} is not null
    group by as_of_date, closes_on, {{ dimension }}
    {% if not loop.last %}
    union all
    {% endif %}
    {% endfor %}

),

performance as (

    select
        dimension || ':' || segment || ':'
        || cast(as_of_date as {{ dbt.type_string() }}) as segment_performance_id,
        as_of_date,
        closes_on,
        dimension,
        segment,
        cast(customers as bigint) as customers,
        cast(returning_customers as bigint) as returning_customers,
        cast(orders_next_3m as bigint) as orders_next_3m,
        cast(net_revenue_next_3m as decimal(18, 2)) as net_revenue_next_3m,
        cast(returning_customers as double) / cast(customers as double) as return_rate,
        cast(customers - returning_customers as double) / cast(customers as double)
            as lapse_rate,
        cast(
            cast(
                round(
                    cast(net_revenue_next_3m * 100 as double)
                    / cast(customers as double)
                ) as bigint
            ) * cast(0.01 as decimal(3, 2))
            as decimal(18, 2)
        ) as revenue_per_customer_next_3m
    from segments

)

select * from performance
