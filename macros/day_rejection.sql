{#
  The reason why a fact's moment cannot be right, else null: a typing error must not move the as-of.
  moment:    a timestamp expression in UTC
  delivered: when its delivery arrived, a timestamp expression in UTC
  The calling query has one row of stg_rules__fact_settings joined under the name fact_settings.
  Example: day_rejection('ordered_at', '_delivered_at') -> 'dated_in_future'
#}
{% macro day_rejection(moment, delivered) -%}
    case
        when {{ business_date(moment) }} < fact_settings.minimum_date then 'dated_too_early'
        when
            {{ dbt.datediff(business_date(delivered), business_date(moment), 'day') }}
            > fact_settings.max_days_ahead
            then 'dated_in_future'
    end
{%- endmacro %}
