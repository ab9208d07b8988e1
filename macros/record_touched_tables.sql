{#
  Record which tables an increment replaces in part and by what: `publish` then exchanges the same
  rows in the published files. No arguments; an on-run-end hook.
  Example: on-run-end: "{{ record_touched_tables() }}"
#}
{% macro record_touched_tables() -%}
    {%- set audit = audit_table() -%}
    {%- if audit is not none and flags.WHICH == 'build' -%}
        {%- set table = audit.include(identifier=false) ~ '.touched_tables' -%}
        create or replace table {{ table }} (
            table_name varchar, touched_schema varchar, touched_name varchar, touched_key varchar
        );
        {%- for node in graph.nodes.values() if node.config.materialized == 'incremental' %}
            {%- set meta = node.config.meta -%}
            {%- if meta.touched %}
                {%- set by = graph.nodes['model.' ~ node.package_name ~ '.' ~ meta.touched] %}
        insert into {{ table }}
        values ('{{ node.alias }}', '{{ by.schema }}', '{{ by.alias }}', '{{ meta.touched_key }}');
            {%- endif -%}
        {%- endfor -%}
    {%- endif -%}
{%- endmacro %}
