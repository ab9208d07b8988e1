{#
  Empty the audit before anything runs, so that a run that is killed, or one that only replaces
  some tables, leaves none; and note by which models and seeds tables are written, so that an edit
  that was tried out and taken back is not built upon. No arguments; an on-run-start hook.
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
        {%- if flags.WHICH != 'test' -%}
            {%- set sums = [] -%}
            {%- for node in graph.nodes.values() if node.resource_type in ['model', 'seed'] -%}
                {%- do sums.append(node.unique_id ~ node.checksum.checksum) -%}
            {%- endfor %}
        create table if not exists {{ table.without_identifier() }}.builds (
            kind varchar not null,
            fingerprint varchar not null,
            invocation_id varchar
        );
        insert into {{ table.without_identifier() }}.builds
        values ('dbt', '{{ local_md5(sums | sort | join(" ")) }}', '{{ invocation_id }}');
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}
