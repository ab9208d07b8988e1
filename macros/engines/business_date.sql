{#
  The business day of a moment.
  moment: a timestamp expression in UTC
  The calling query has one row of stg_rules__fact_settings joined under the name fact_settings.
  Example: business_date('ordered_at') -> 2024-03-10 for 2024-03-09 18:30 UTC in Asia/Shanghai
  UTC, the default, needs no conversion; the engine's is dear on millions of rows.
#}
{% macro business_date(moment) -%}
    {{ return(adapter.dispatch('business_date')(moment)) }}
{%- endmacro %}

{% macro default__business_date(moment) -%}
    cast(
        case
            when fact_settings.business_timezone = 'UTC' then {{ moment }}
            else timezone(fact_settings.business_timezone, timezone('UTC', {{ moment }}))
        end as date
    )
{%- endmacro %}

{% macro spark__business_date(moment) -%}
    cast(
        case
            when fact_settings.business_timezone = 'UTC' then {{ moment }}
            else from_utc_timestamp({{ moment }}, fact_settings.business_timezone)
        end as date
    )
{%- endmacro %}
