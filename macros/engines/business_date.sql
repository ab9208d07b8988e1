{#
  The business day of a moment.
  moment:   a timestamp expression in UTC
  timezone: a text expression, the business time zone
  Example: business_date("timestamp '2024-03-09 18:30:00'", "'Asia/Shanghai'") -> 2024-03-10
  UTC, the default, needs no conversion; the engine's is dear on millions of rows.
#}
{% macro business_date(moment, timezone) -%}
    {{ return(adapter.dispatch('business_date')(moment, timezone)) }}
{%- endmacro %}

{% macro default__business_date(moment, timezone) -%}
    cast(
        case
            when {{ timezone }} = 'UTC' then {{ moment }}
            else timezone({{ timezone }}, timezone('UTC', {{ moment }}))
        end as date
    )
{%- endmacro %}

{% macro spark__business_date(moment, timezone) -%}
    cast(
        case
            when {{ timezone }} = 'UTC' then {{ moment }}
            else from_utc_timestamp({{ moment }}, {{ timezone }})
        end as date
    )
{%- endmacro %}
