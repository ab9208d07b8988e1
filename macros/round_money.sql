{#
  An exact amount, in base currency, rounded once to the cent, half away from zero, as the money type.
  Most amounts are in base currency and below a million: those fit 18 digits, which engines round
  many times faster than 38. No digit is lost on the way: a narrower amount is null where it would not
  fit, and the wide one is taken.
  amount:        a decimal expression with at most 12 places
  exchange_rate: its rate into the base currency, a decimal(12, 6) expression; without it, none is needed
  Example: round_money('0.125') -> 0.13, round_money('-0.125') -> -0.13
#}
{% macro round_money(amount, exchange_rate=none) -%}
    coalesce(
        cast(
            round(
                try_cast(
                    {% if exchange_rate -%}
                    case when {{ exchange_rate }} = 1 then {{ amount }} end
                    {%- else -%}
                    {{ amount }}
                    {%- endif %} as decimal(18, 12)
                ), 2
            ) as decimal(18, 2)
        ),
        cast(
            round(
                {% if exchange_rate -%}
                cast({{ amount }} as decimal(25, 12)) * {{ exchange_rate }}
                {%- else -%}
                {{ amount }}
                {%- endif %}, 2
            ) as decimal(18, 2)
        )
    )
{%- endmacro %}
