{#
  The table that holds the last build's audit, in the one engine that publishes from a file; none
  on other engines, while parsing, and in commands that build nothing (compile, docs, ls).
  Example: audit_table() -> "build"."control"."build_audit"
#}
{% macro audit_table() -%}
    {%- set commands = ['build', 'run', 'seed', 'snapshot', 'test', 'retry', 'clone'] -%}
    {%- if execute and target.type == 'duckdb' and flags.WHICH in commands -%}
        {{ return(api.Relation.create(
            database=target.database, schema='control', identifier='build_audit'
        )) }}
    {%- endif -%}
    {{ return(none) }}
{%- endmacro %}
