{#
  Days until a customer has been away for so many median gaps, below zero on the day after the last.
  gaps:   a number of median gaps
  median: the median gap in days; unknown if it is
  days:   days since the last order
  least:  fewest days that it takes, where there are any; then the median must be known
  Example: days_until('settings.churn_gap_multiple', 'rhythm.median_gap_days',
      'measures.recency_days')
#}
{% macro days_until(gaps, median, days, least=none) -%}
    {%- set away = gaps ~ ' * cast(' ~ median ~ ' as decimal(9, 2))' -%}
    {%- if least -%}
        greatest(cast({{ least }} as decimal(18, 6)), {{ away }}) - {{ days }}
    {%- else -%}
        {{ away }} - {{ days }}
    {%- endif -%}
{%- endmacro %}
