{#
  Schemas are named by dbt_project.yml alone, without the target's schema before them:
  the published file is chosen by the schema's name.
  Example: models/marts/core -> core
#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ (custom_schema_name or target.schema) | trim }}
{%- endmacro %}
