-- Grain: one row per as-of date and customer, its group A to E of order frequency and value.
with

measures as (
    select * from {{ ref('int_customers__measures') }}
),

settings as (
    select * from {{ ref('int_settings__by_as_of') }}
),

bands as (
    select * from {{ ref('int_bands__by_as_of') }}
),

order_value_groups as (
    select * from {{ ref('order_value_groups') }}
),

-- Whole cents over whole orders: equal averages are equal, however they came about.
average_order_values as (

    select
        as_of_date,
        customer_id,
        orders_12m,
        cast(net_revenue_12m * 100 as double)
        / nullif(cast(orders_12m as double), 0) as average_cents
    from measures

),

medians as (

    select
        as_of_date,
        percentile_cont(0.5) within group (
            order by cast(average_cents as double)
        ) as median_cents
    from average_order_values
    where average_cents is not null
    group by as_of_date

),

levels as (

    select
        average_order_values.as_of_date,
        average_order_values.customer_id,
        average_order_values.average_cents,
        medians.median_cents,
        coalesce(settings.order_value_cut * 100, medians.median_cents) as cut_cents,
        bands.code as frequency_level,
        case
            when average_order_values.average_cents is null then 'none'
            when
                average_order_values.average_cents
                >= coalesce(settings.order_value_cut * 100, medians.median_cents)
                then 'high'
            else 'low'
        end as value_level
    from average_order_values
    inner join settings
        on average_order_values.as_of_date = settings.as_of_date
    inner join bands
        on {{ in_band(
            'average_order_values', 'orders_12m', 'bands', 'order_frequency'
        ) }}
    left join medians
        on average_order_values.as_of_date = medians.as_of_date

),

grouped_customers as (

    select
        levels.as_of_date,
        levels.customer_id,
        cast(
            cast(round(levels.average_cents) as bigint) * cast(0.01 as decimal(3, 2))
            as decimal(18, 2)
        ) as average_order_value_12m,
        levels.average_cents / 100 as exact_order_value_12m,
        levels.cut_cents / 100 as order_value_cut,
        levels.median_cents,
        levels.frequency_level,
        levels.value_level,
        order_value_groups.order_value_group
    from levels
    inner join order_value_groups
        on
            levels.frequency_level = order_value_groups.frequency_level
            and levels.value_level = order_value_groups.value_level
            and {{ holds_on('order_value_groups', 'levels.as_of_date') }}

)

select * from grouped_customers
