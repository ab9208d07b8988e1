{#
  The condition that a dated row of a rule holds on a day.
  rules: name of the relation of dated rows, with `valid_from` and `valid_to`
  day:   a date expression
  Example: holds_on('bands', 'as_of_dates.as_of_date')
#}
{% macro holds_on(rules, day) -%}
    {{ day }} >= {{ rules }}.valid_from
    and ({{ rules }}.valid_to is null or {{ day }} <= {{ rules }}.valid_to)
{%- endmacro %}
