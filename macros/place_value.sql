{#
  Customers with their bands, points and value tier (V1 to V3, V7): the one place where 12 months of
  net revenue, orders and margin rate become a tier. All columns of the customers, and spend_band,
  frequency_band, margin_band, value_points, points_measure and value_tier.
  customers: name of a relation with as_of_date, net_revenue_12m, orders_12m and margin_rate_12m
  bands:     name of the relation of int_bands__by_as_of
  Example: placed as (

      {{ place_value('rated_customers', 'bands') }}

  )
#}
{% macro place_value(customers, bands) -%}
    select
        {{ customers }}.*,
        spend_bands.code as spend_band,
        frequency_bands.code as frequency_band,
        coalesce(margin_bands.code, 'unknown') as margin_band,
        spend_bands.points + frequency_bands.points + coalesce(margin_bands.points, 0)
            as value_points,
        tiers.measure as points_measure,
        tiers.code as value_tier
    from {{ customers }}
    inner join {{ bands }} as spend_bands
        on {{ in_band(customers, 'net_revenue_12m', 'spend_bands', 'spend_band') }}
    inner join {{ bands }} as frequency_bands
        on {{ in_band(customers, 'orders_12m', 'frequency_bands', 'frequency_band') }}
    left join {{ bands }} as margin_bands
        on {{ in_band(customers, 'margin_rate_12m', 'margin_bands', 'margin_band') }}
    inner join {{ bands }} as tiers
        on
            {{ customers }}.as_of_date = tiers.as_of_date
            and tiers.dimension = 'value_tier'
            and tiers.measure = case
                when margin_bands.code is null then 'points_of_two_bands'
                else 'points_of_three_bands'
            end
            and spend_bands.points + frequency_bands.points
            + coalesce(margin_bands.points, 0) >= tiers.lower_bound
            and spend_bands.points + frequency_bands.points
            + coalesce(margin_bands.points, 0) < tiers.upper_bound
{%- endmacro %}
