{#
  The condition that an alternative of a rule (a stage, a tier) holds for a customer: each code that it
  names is the customer's, each measure that it bounds lies in [from, below). What it leaves blank it
  does not ask for; an unknown measure is within no bound.
  alternatives: name of the joined relation of alternatives
  customers:    name of the joined relation of codes and measures
  codes:        list of its columns that alternatives may name a code of
  measures:     list of its columns that alternatives may bound
  Example: alternative_holds('tiers', 'customers', ['interaction_band'], ['csat_average_12m'])
#}
{% macro alternative_holds(alternatives, customers, codes, measures) -%}
    {%- for code in codes %}
    {% if not loop.first %}and {% endif -%}
    (
        {{ alternatives }}.{{ code }} is null
        or {{ alternatives }}.{{ code }} = {{ customers }}.{{ code }}
    )
    {%- endfor %}
    {%- for measure in measures %}
    {% if codes or not loop.first %}and {% endif -%}
    (
        {{ alternatives }}.{{ measure }}_from is null
        or {{ customers }}.{{ measure }} >= {{ alternatives }}.{{ measure }}_from
    )
    and (
        {{ alternatives }}.{{ measure }}_below is null
        or {{ customers }}.{{ measure }} < {{ alternatives }}.{{ measure }}_below
    )
    {%- endfor %}
{%- endmacro %}
