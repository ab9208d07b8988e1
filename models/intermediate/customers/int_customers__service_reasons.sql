-- Grain: one row per customer at the newest as-of, dimension and measure behind potential and service.
-- What decided a code that the service tier names decides the tier. The last tier names nothing: it
-- is there for want of value, or of an order.
with

potential as (

    select potential.*
    from {{ ref('int_customers__potential') }} as potential
    inner join {{ ref('int_as_of_dates') }} as as_of_dates
        on potential.as_of_date = as_of_dates.as_of_date
    where as_of_dates.is_newest

),

band_reasons as (
    select * from {{ ref('int_customers__band_reasons') }}
),

tiers as (

    select
        tiers.*,
        rules.value_tier as named_value_tier,
        rules.margin_band as named_margin_band,
        rules.loyalty_band as named_loyalty_band,
        rules.potential_band as named_potential_band,
        rules.clause
    from {{ ref('int_customers__service_tiers') }} as tiers
    inner join {{ ref('service_tiers') }} as rules
        on
            tiers.service_rule_id = rules.rule_id
            and {{ holds_on('rules', 'tiers.as_of_date') }}
    where tiers.is_newest

),

cut_reasons as (

    {% for dimension, clause in [
        ('potential_band', 'V13'), ('value_potential_quadrant', 'V10')
    ] %}
    select
        as_of_date,
        customer_id,
        '{{ dimension }}' as dimension,
        {{ dimension }} as code,
        'potential_cut.' || potential_band as rule_id,
        'clv_predicted' as measure,
        cast(clv_predicted as double) as value,
        case when potential_band = 'high' then potential_cut end as lower_bound,
        case when potential_band = 'low' then potential_cut end as upper_bound,
        '{{ clause }}' as clause
    from potential

    union all
    {% endfor %}

    select
        as_of_date,
        customer_id,
        'value_potential_quadrant' as dimension,
        value_potential_quadrant as code,
        'quadrant_value_cut.' || value_level as rule_id,
        'net_revenue_12m' as measure,
        cast(net_revenue_12m as double) as value,
        case when value_level = 'high' then value_cut end as lower_bound,
        case when value_level = 'low' then value_cut end as upper_bound,
        'V10' as clause
    from potential
    where value_cut is not null

),

decided as (

    select * from cut_reasons
    where dimension = 'potential_band'
    union all
    select * from band_reasons

),

named_codes as (

    {% for named in ['value_tier', 'margin_band', 'loyalty_band', 'potential_band'] %}
    select
        *,
        '{{ named }}' as named_dimension
    from tiers
    where named_{{ named }} is not null
    union all
    {% endfor %}
    select
        *,
        'value_tier' as named_dimension
    from tiers
    where
        named_value_tier is null
        and named_margin_band is null
        and named_loyalty_band is null
        and named_potential_band is null

),

service_reasons as (

    select * from cut_reasons

    union all

    select
        named_codes.as_of_date,
        named_codes.customer_id,
        'service_tier' as dimension,
        named_codes.service_tier as code,
        named_codes.service_rule_id as rule_id,
        coalesce(decided.measure, 'orders_to_date') as measure,
        case
            when decided.dimension is null then cast(0 as double)
            else decided.value
        end as value,
        decided.lower_bound,
        case
            when decided.dimension is null then cast(1 as double)
            else decided.upper_bound
        end as upper_bound,
        named_codes.clause
    from named_codes
    left join decided
        on
            named_codes.customer_id = decided.customer_id
            and named_codes.named_dimension = decided.dimension

)

select * from service_reasons
