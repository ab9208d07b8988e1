{#
  Integer division of two integers, exact: the remainder goes first, so that the division has none
  and a share that lies on a cut point is never lifted or dropped by a floating-point error.
  numerator, denominator: integer expressions, the denominator positive
  Example: integer_quotient('14', '5') -> 2
#}
{% macro integer_quotient(numerator, denominator) -%}
    cast(round(
        cast({{ numerator }} - mod({{ numerator }}, {{ denominator }}) as double)
        / nullif(cast({{ denominator }} as double), 0)
    ) as bigint)
{%- endmacro %}
