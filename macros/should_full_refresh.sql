{#
  Whether an incremental model is built anew; dbt asks this of every one. Besides the flag and the
  model's own setting it is so where ingestion found that what is built cannot be built upon: rules
  or code changed, a delivery withdrawn, nothing published yet. So `dbt build` by hand is right too.
  No arguments; overrides dbt's own macro of this name.
  Example: should_full_refresh() -> true after an edited seed
#}
{% macro should_full_refresh() -%}
    {%- set configured = config.get('full_refresh') -%}
    {%- if configured is not none -%}
        {{ return(configured) }}
    {%- endif -%}
    {%- if flags.FULL_REFRESH or not execute or target.type != 'duckdb' -%}
        {{ return(flags.FULL_REFRESH) }}
    {%- endif -%}
    {%- set increment = api.Relation.create(
        database=target.database, schema='control', identifier='increment'
    ) -%}
    {{ return(run_query('select is_full_rebuild from ' ~ increment).columns[0].values()[0]) }}
{%- endmacro %}
