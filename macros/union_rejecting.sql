{#
  All rows of every staging model that can reject rows, over all sources (vars: sources, rejecting),
  with the source and feed that they are from and what names the record (`record_id`).
  columns: list of columns, the same in every such model
  Example: union_rejecting(['rejection_reason']) ->
      select 'shop' as source, 'orders' as feed, order_id as record_id, rejection_reason
      from staging.stg_shop__orders union all ...
#}
{% macro union_rejecting(columns) -%}
    {%- set selects = [] -%}
    {%- for source, lists in declared_sources().items() -%}
        {%- for feed, record_id in lists['rejecting'].items() -%}
            {%- set relation = ref('stg_' ~ source ~ '__' ~ feed) -%}
            {%- do selects.append(
                "select '" ~ source ~ "' as source, '" ~ feed ~ "' as feed, "
                ~ record_id ~ ' as record_id, '
                ~ columns | join(', ') ~ ' from ' ~ relation
            ) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ selects | join('\n    union all\n    ') }}
{%- endmacro %}
