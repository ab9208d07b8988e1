{#
  Empty the audit before anything runs, so that a run that is killed, or one that only replaces
  some tables, leaves none. No arguments; an on-run-start hook.
  Example: on-run-start: "{{ clear_audit() }}"
#}
{% macro clear_audit() -%}
    {%- set table = audit_table() -%}
    {%- if table is not none -%}
        create schema if not exists {{ table.without_identifier() }};
        create or replace table {{ table }} (
            invocation_id varchar not null,
            finished_at timestamp not null,
            passed boolean not null,
            nodes_expected integer not null,
            nodes_run integer not null,
            last_delivery_id bigint,
            failures varchar not null,
            relations varchar[] not null
        );
    {%- endif -%}
{%- endmacro %}
