{#
  The margin rate of a window: margin over the covered revenue; null where there is no net revenue, where
  no cost is known, and where lines with a known cost make up too little of the net revenue.
  margin:           margin of the covered lines, a decimal expression
  covered_revenue:  their net revenue
  net_revenue:      net revenue of the window
  coverage_minimum: share of it that has to be covered
  Example: margin_rate('19', '95', '100', '0.95') -> 0.2, of 94 covered null
#}
{% macro margin_rate(margin, covered_revenue, net_revenue, coverage_minimum) -%}
    case
        when {{ net_revenue }} <= 0 then null
        when {{ covered_revenue }} <= 0 then null
        when
            {{ covered_revenue }}
            < {{ coverage_minimum }} * cast({{ net_revenue }} as decimal(19, 2))
            then null
        -- In whole cents: 0.60 of 3.00 is 0.2 and not a hair below the band.
        else
            cast({{ margin }} * 100 as double)
            / nullif(cast({{ covered_revenue }} * 100 as double), 0)
    end
{%- endmacro %}
