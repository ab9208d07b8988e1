{#
  The grain of a model: no two rows share the combination of the columns, and none lacks
  a part. One column is tested by not_null and unique; this is for grains of several,
  without a key column of concatenated text.
  columns: list of the columns that together name a row
  Example: unique_grain: {arguments: {columns: [as_of_date, customer_id]}}
#}
{% test unique_grain(model, columns) %}

select {{ columns | join(', ') }}
from {{ model }}
group by {{ columns | join(', ') }}
having
    count(*) > 1
    {%- for column in columns %}
    or {{ column }} is null
    {%- endfor %}

{% endtest %}
