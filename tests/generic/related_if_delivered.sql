{#
  Every value of the column stands in the other model, if that holds anything at all: a feed
  that nobody delivers is no reason to warn.
  to:    the other model, as ref(...)
  field: its column
  Example: related_if_delivered: {arguments: {to: ref('stg_shop__customers'), field: customer_id}}
#}
{% test related_if_delivered(model, column_name, to, field) %}

select {{ column_name }}
from {{ model }}
where
    {{ column_name }} is not null
    and {{ column_name }} not in (
        select {{ field }} from {{ to }} where {{ field }} is not null
    )
    and (select count(*) from {{ to }}) > 0

{% endtest %}
