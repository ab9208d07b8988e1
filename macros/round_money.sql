{#
  An exact amount rounded once to the cent, half away from zero, as the money type.
  amount: a decimal expression
  Example: round_money('0.125') -> 0.13, round_money('-0.125') -> -0.13
#}
{% macro round_money(amount) -%}
    cast(round({{ amount }}, 2) as decimal(18, 2))
{%- endmacro %}
