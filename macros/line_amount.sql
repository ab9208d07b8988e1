{#
  What a line comes to before the order's discount, in the order's currency: quantity x price less the
  line's own discount. The quantity is widened past 18 digits: DuckDB keeps the product of two narrow
  decimals narrow and would overflow.
  lines: name of the joined relation of order lines
  Example: line_amount('order_lines') -> 27.500000000000
#}
{% macro line_amount(lines) -%}
    cast(
        cast(
            cast({{ lines }}.quantity as decimal(19, 6)) * {{ lines }}.unit_price
            as decimal(25, 12)
        ) - {{ lines }}.discount_amount
        as decimal(25, 12)
    )
{%- endmacro %}
