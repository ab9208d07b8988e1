{#
  The reason why a fact's day cannot be right, else null: a typing error must not move the as-of.
  day:           the fact's business day
  delivered_day: the business day on which its delivery arrived
  The calling query has one row of stg_rules__fact_settings joined under the name fact_settings.
  Example: day_rejection('order_date', 'delivered_date') -> 'dated_in_future'
#}
{% macro day_rejection(day, delivered_day) -%}
    case
        when {{ day }} < fact_settings.minimum_date then 'dated_too_early'
        when
            {{ dbt.datediff(delivered_day, day, 'day') }} > fact_settings.max_days_ahead
            then 'dated_in_future'
    end
{%- endmacro %}
