{#
  All rows of every staging model that can reject rows, over all sources (vars: sources, rejecting),
  with the source and feed that they are from.
  columns: list of columns, the same in every such model
  Example: union_rejecting(['record_id']) ->
      select 'shop' as source, 'orders' as feed, record_id from staging.stg_shop__orders union all ...
#}
{% macro union_rejecting(columns) -%}
    {%- set selects = [] -%}
    {%- for source, lists in var('sources').items() -%}
        {%- for feed in lists['rejecting'] -%}
            {%- set relation = ref('stg_' ~ source ~ '__' ~ feed) -%}
            {%- do selects.append(
                "select '" ~ source ~ "' as source, '" ~ feed ~ "' as feed, "
                ~ columns | join(', ') ~ ' from ' ~ relation
            ) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ selects | join('\n    union all\n    ') }}
{%- endmacro %}
