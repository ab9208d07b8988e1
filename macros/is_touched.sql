{#
  Whether a row belongs to what the new deliveries touch; always true where all rows are built.
  key:     an expression over the row, the order, credit note or interaction that it belongs to
  touched: the model of touched keys, as `ref` gives it
  column:  its column to compare with: `touched_id`, or `touched_key`, the source's own id
  Example: where {{ is_touched('order_id', ref('int_orders__touched')) }} ->
      where order_id in (select touched_id from intermediate.int_orders__touched)
#}
{% macro is_touched(key, touched, column='touched_id') -%}
    {%- if is_incremental() -%}
        {{ key }} in (select {{ column }} from {{ touched }})
    {%- else -%}
        true
    {%- endif -%}
{%- endmacro %}
