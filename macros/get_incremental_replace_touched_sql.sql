{#
  The incremental strategy `replace_touched`: all rows of the touched keys go, what the model selects
  for them comes in. dbt's own delete+insert deletes only keys that come again, and would keep an
  order that was cancelled and a line that was taken off.
  arguments: what dbt hands to a strategy; the model's `meta` names the model of touched keys
      (`touched`) and the expression that is compared with it (`touched_key`)
  Example: config: {incremental_strategy: replace_touched, meta: {touched: int_orders__touched, touched_key: order_id}}
#}
{% macro get_incremental_replace_touched_sql(arguments) -%}
    {%- set meta = config.get('meta') -%}
    {%- set columns = arguments['dest_columns'] | map(attribute='quoted') | join(', ') -%}
    delete from {{ arguments['target_relation'] }}
    where {{ meta['touched_key'] }} in (select touched_id from {{ ref(meta['touched']) }});
    insert into {{ arguments['target_relation'] }} ({{ columns }})
    select {{ columns }} from {{ arguments['temp_relation'] }}
{%- endmacro %}
