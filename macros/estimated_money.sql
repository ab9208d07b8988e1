{#
  An amount that comes out of an estimate, rounded to the cent, as the money type. What is counted in
  money is never a double: see round_money.
  amount: a double expression, in base currency
  Example: estimated_money('cast(12.3456 as double)') -> 12.35
#}
{% macro estimated_money(amount) -%}
    cast(
        cast(round(100 * ({{ amount }})) as bigint) * cast(0.01 as decimal(3, 2))
        as decimal(18, 2)
    )
{%- endmacro %}
