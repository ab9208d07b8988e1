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
        case
            when measures.net_revenue_12m <= 0 then null
            when measures.covered_revenue_12m <= 0 then null
            when
                measures.covered_revenue_12m
                < settings.margin_coverage_minimum
                * cast(measures.net_revenue_12m as decimal(19, 2))
                then null
            -- In whole cents: 0.60 of 3.00 is 0.2 and not a hair below the band.
            else
                cast(measures.margin_12m * 100 as double)
                / nullif(cast(measures.covered_revenue_12m * 100 as double), 0)
        end as margin_rate_12m
    from measures
    inner join settings
        on measures.as_of_date = settings.as_of_date

),

banded_customers as (

    select
        rated_customers.as_of_date,
        rated_customers.customer_id,
        rated_customers.margin_rate_12m,
        spend_bands.code as spend_band,
        frequency_bands.code as frequency_band,
        coalesce(margin_bands.code, 'unknown') as margin_band,
        spend_bands.points + frequency_bands.points + coalesce(margin_bands.points, 0)
            as value_points,
        case
            when margin_bands.code is null then 'points_of_two_bands'
            else 'points_of_three_bands'
        end as points_measure
    from rated_customers
    inner join bands as spend_bands
        on {{ in_band(
            'rated_customers', 'net_revenue_12m', 'spend_bands', 'spend_band'
        ) }}
    inner join bands as frequency_bands
        on {{ in_band(
            'rated_customers', 'orders_12m', 'frequency_bands', 'frequency_band'
        ) }}
    left join bands as margin_bands
        on {{ in_band(
            'rated_customers', 'margin_rate_12m', 'margin_bands', 'margin_band'
        ) }}

),

tiered_customers as (

    select
        banded_customers.as_of_date,
        banded_customers.customer_id,
        banded_customers.margin_rate_12m,
        banded_customers.spend_band,
        banded_customers.frequency_band,
        banded_customers.margin_band,
        banded_customers.value_points,
        banded_customers.points_measure,
        tiers.code as value_tier,
        'high' in (
            banded_customers.spend_band,
            banded_customers.frequency_band,
            banded_customers.margin_band
        )
        and 'low' in (
            banded_customers.spend_band,
            banded_customers.frequency_band,
            banded_customers.margin_band
        ) as has_conflicting_bands
    from banded_customers
    inner join bands as tiers
        on
            {{ in_band('banded_customers', 'value_points', 'tiers', 'value_tier') }}
            and banded_customers.points_measure = tiers.measure

)

select * from tiered_customers
