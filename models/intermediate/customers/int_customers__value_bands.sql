-- Grain: one row per as-of date and customer who ever ordered, its bands and value tier.
with

measures as (
    select * from {{ ref('int_customers__measures') }}
    where orders_to_date > 0
),

settings as (
    select * from {{ ref('int_settings__by_as_of') }}
),

bands as (
    select * from {{ ref('int_bands__by_as_of') }}
),

rated_customers as (

    select
        measures.as_of_date,
        measures.customer_id,
        measures.net_revenue_12m,
        measures.orders_12m,
        {{ margin_rate(
            'measures.margin_12m', 'measures.covered_revenue_12m',
            'measures.net_revenue_12m', 'settings.margin_coverage_minimum'
        ) }} as margin_rate_12m
    from measures
    inner join settings
        on measures.as_of_date = settings.as_of_date

),

placed_customers as (

    {{ place_value('rated_customers', 'bands') }}

),

tiered_customers as (

    select
        as_of_date,
        customer_id,
        margin_rate_12m,
        spend_band,
        frequency_band,
        margin_band,
        value_points,
        points_measure,
        value_tier,
        'high' in (spend_band, frequency_band, margin_band)
        and 'low' in (spend_band, frequency_band, margin_band) as has_conflicting_bands
    from placed_customers

)

select * from tiered_customers
