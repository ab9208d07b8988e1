{#
  All rows of one canonical entity, over every source that delivers it (vars: sources, entities).
  entity:  name of the staging models after the source, e.g. 'orders'
  columns: list of columns, the same in every source
  Example: union_sources('orders', ['order_id']) ->
      select 'shop' as source, order_id from staging.stg_shop__orders union all ...
#}
{% macro union_sources(entity, columns) -%}
    {%- set selects = [] -%}
    {%- for source, lists in declared_sources().items() if entity in lists['entities'] -%}
        {%- set relation = ref('stg_' ~ source ~ '__' ~ entity) -%}
        {%- do selects.append(
            "select '" ~ source ~ "' as source, " ~ columns | join(', ') ~ ' from ' ~ relation
        ) -%}
    {%- endfor -%}
    {{ selects | join('\n    union all\n    ') }}
{%- endmacro %}
