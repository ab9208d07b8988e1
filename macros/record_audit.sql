{#
  Record how `dbt build` ended: passed only where every enabled model, seed, snapshot and data
  test ran and none failed, so that a build of a selection never counts. `publish` reads it.
  results: what dbt hands to on-run-end hooks
  Example: on-run-end: "{{ record_audit(results) }}"
#}
{% macro record_audit(results) -%}
    {%- set table = audit_table() -%}
    {%- if table is not none and flags.WHICH == 'build' -%}
        {%- set expected = [] -%}
        {%- set relations = [] -%}
        {%- for node in graph.nodes.values() -%}
            {%- set kind = node.resource_type -%}
            {%- set is_ephemeral = node.config.materialized == 'ephemeral' -%}
            {%- if kind in ['model', 'seed', 'snapshot', 'test'] and not is_ephemeral -%}
                {%- do expected.append(node.unique_id) -%}
                {%- if kind != 'test' -%}
                    {%- do relations.append(node.schema ~ '.' ~ node.alias) -%}
                {%- endif -%}
            {%- endif -%}
        {%- endfor -%}
        {%- set passed = [] -%}
        {%- set failures = [] -%}
        {%- for result in results -%}
            {%- if result.status in ['success', 'pass', 'warn'] -%}
                {%- if result.node.unique_id in expected -%}
                    {%- do passed.append(result.node.unique_id) -%}
                {%- endif -%}
            {%- elif result.status not in ['skipped', 'no-op'] -%}
                {%- do failures.append(result.node.unique_id) -%}
            {%- endif -%}
        {%- endfor -%}
        {%- set all_passed = not failures and passed | length == expected | length -%}
        {%- set now = modules.datetime.datetime.now(modules.pytz.utc) -%}
        {%- set ledger = api.Relation.create(
            database=target.database, schema='raw', identifier='deliveries'
        ) -%}
        {#- Not adapter.get_relation: it opens a transaction, which dbt rolls back after hooks. -#}
        {%- set has_ledger = run_query(
            "select count(*) from information_schema.tables where table_catalog = '"
            ~ target.database ~ "' and table_schema = 'raw' and table_name = 'deliveries'"
        ).columns[0].values()[0] -%}
        insert into {{ table }}
        select
            '{{ invocation_id }}',
            timestamp '{{ now.strftime("%Y-%m-%d %H:%M:%S") }}',
            {{ all_passed }},
            {{ expected | length }},
            {{ passed | length }},
            {% if has_ledger -%}
                (select max(delivery_id) from {{ ledger }})
            {%- else -%}
                null
            {%- endif %},
            '{{ failures | sort | join(", ") | replace("'", "''") }}',
            [
                {%- for relation in relations | sort %}
                '{{ relation | replace("'", "''") }}'{{ ',' if not loop.last }}
                {%- endfor %}
            ]::varchar[]
    {%- endif -%}
{%- endmacro %}
