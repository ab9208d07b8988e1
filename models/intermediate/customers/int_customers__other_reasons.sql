-- Grain: one row per customer at the newest as-of, dimension and measure decided without a band.
-- Cuts that the data set (the median order value), and codes of who has nothing to be placed by.
with

segments as (
    select * from {{ ref('int_customers__segments') }}
    where is_newest
),

order_values as (
    select * from {{ ref('int_customers__order_value_groups') }}
),

clusters as (
    select * from {{ ref('int_customers__clusters') }}
    where is_newest
),

other_reasons as (

    select
        order_values.as_of_date,
        order_values.customer_id,
        'order_value_group' as dimension,
        order_values.order_value_group as code,
        'order_value_cut.' || order_values.value_level as rule_id,
        'average_order_value_12m' as measure,
        order_values.exact_order_value_12m as value,
        case
            when order_values.value_level = 'high' then order_values.order_value_cut
        end as lower_bound,
        case
            when order_values.value_level = 'low' then order_values.order_value_cut
        end as upper_bound,
        'L1' as clause
    from order_values
    inner join segments
        on
            order_values.as_of_date = segments.as_of_date
            and order_values.customer_id = segments.customer_id
    where order_values.average_order_value_12m is not null

    union all

    -- Nothing in the window is C without a share; a cent would be revenue.
    select
        as_of_date,
        customer_id,
        'abc_class' as dimension,
        abc_class as code,
        'abc_class.without_revenue' as rule_id,
        'net_revenue_12m' as measure,
        cast(net_revenue_12m as double) as value,
        cast(null as double) as lower_bound,
        0.01 as upper_bound,
        'V8' as clause
    from segments
    where abc_class is not null and net_revenue_12m <= 0
    {% for dimension in ['r_score', 'f_score', 'm_score'] %}
    union all
    select
        as_of_date,
        customer_id,
        '{{ dimension }}' as dimension,
        '1' as code,
        '{{ dimension }}.before_look_back' as rule_id,
        'frequency' as measure,
        cast(frequency as double) as value,
        cast(null as double) as lower_bound,
        1 as upper_bound,
        'M1' as clause
    from segments
    where orders_to_date > 0 and frequency = 0
    {% endfor %}

    {% for dimension in ['rfm_segment', 'headline_segment'] %}
    union all
    select
        as_of_date,
        customer_id,
        '{{ dimension }}' as dimension,
        {{ dimension }} as code,
        'rfm_map.' || coalesce(rfm_code, headline_segment) as rule_id,
        case when rfm_code is null then 'orders_to_date' else 'rfm_code' end as measure,
        cast(coalesce(cast(rfm_code as bigint), orders_to_date) as double) as value,
        cast(rfm_code as double) as lower_bound,
        case
            when rfm_code is not null then cast(rfm_code as double) + 1
            when headline_segment = 'prospect' then 1
        end as upper_bound,
        'M1' as clause
    from segments
    {% endfor %}
    union all

    -- The nearest centroid; of two as near the better one, hence the millionth.
    select
        as_of_date,
        customer_id,
        'cluster_name' as dimension,
        cluster_name as code,
        'cluster_names.' || cluster_name as rule_id,
        case cluster_name
            when 'prospect' then 'orders_to_date'
            when 'former_buyer' then 'frequency'
            else 'distance'
        end as measure,
        case
            when cluster_name in ('prospect', 'former_buyer') then 0
            else distance
        end as value,
        cast(null as double) as lower_bound,
        case
            when cluster_name in ('prospect', 'former_buyer') then 1
            when next_distance = distance then distance + 0.000001
            else next_distance
        end as upper_bound,
        'M2' as clause
    from clusters

)

select * from other_reasons
