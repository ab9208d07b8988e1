{#
  All rows of one canonical entity, over every source that delivers it (vars: sources).
  entity:  name of the staging models after the source, e.g. 'orders'
  columns: list of columns, the same in every source
  kind:    which of the source's two lists names the entity: 'entities' or 'rejecting'
  Example: union_sources('orders', ['order_id']) ->
      select 'shop' as source, order_id from staging.stg_shop__orders union all ...
#}
{% macro union_sources(entity, columns, kind='entities') -%}
    {%- set delivering = [] -%}
    {%- for source, lists in var('sources').items() if entity in lists[kind] -%}
        {%- do delivering.append(source) -%}
    {%- endfor -%}
    {%- for source in delivering %}
    select
        '{{ source }}' as source,
        {{ columns | join(',\n        ') }}
    from {{ ref('stg_' ~ source ~ '__' ~ entity) }}
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
{%- endmacro %}
