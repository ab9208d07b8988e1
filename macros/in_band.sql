{#
  The condition that a value lies in a band that holds at the as-of: the one mechanism of bands.
  customers: name of the joined relation of values, with `as_of_date`
  value:     its column to place; an unknown value lies in no band
  bands:     name under which int_bands__by_as_of is joined
  dimension: the dimension whose band is looked for
  Example: left join bands as cycle_bands
      on {{ in_band('rhythm', 'median_gap_days', 'cycle_bands', 'cycle_band') }}
#}
{% macro in_band(customers, value, bands, dimension) -%}
    {{ customers }}.as_of_date = {{ bands }}.as_of_date
    and {{ bands }}.dimension = '{{ dimension }}'
    and {{ customers }}.{{ value }} >= {{ bands }}.lower_bound
    and {{ customers }}.{{ value }} < {{ bands }}.upper_bound
{%- endmacro %}
