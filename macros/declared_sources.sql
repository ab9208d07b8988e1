{#
  The sources of the project (var `sources`), each name and expression checked before it becomes SQL:
  vars can be given on the command line.
  Example: declared_sources() -> {'shop': {'entities': [...], 'rejecting': {...}}, ...}
#}
{% macro declared_sources() -%}
    {%- set name = '[a-z][a-z0-9_]*' -%}
    {%- set key = name ~ "( [|][|] ':' [|][|] " ~ name ~ ')*' -%}
    {%- set sources = var('sources') -%}
    {%- for source, lists in sources.items() -%}
        {%- set names = [source] + lists['entities'] + lists['rejecting'].keys() | list -%}
        {%- for given in names if not modules.re.fullmatch(name, given | string) -%}
            {{ exceptions.raise_compiler_error(
                "vars: sources: a name must be like " ~ name ~ ', not ' ~ given | string | tojson
            ) }}
        {%- endfor -%}
        {%- for given in lists['rejecting'].values() if not modules.re.fullmatch(key, given | string) -%}
            {{ exceptions.raise_compiler_error(
                "vars: sources: " ~ source ~ ": what names a record must be columns joined by "
                ~ "|| ':' ||, not " ~ given | string | tojson
            ) }}
        {%- endfor -%}
    {%- endfor -%}
    {{ return(sources) }}
{%- endmacro %}
