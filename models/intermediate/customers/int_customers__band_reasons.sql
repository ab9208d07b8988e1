-- Grain: one row per customer at the newest as-of, dimension and measure that a band or cut decided.
-- The join that gave a customer its code, the other way round: from the code to the row of the rule.
-- An unknown code has a reason too, the measure that nobody knows.
with

engagement as (
    select * from {{ ref('int_customers__engagement') }}
    where is_newest
),

customers as (

    select
        segments.*,
        segments.orders_to_date > 0 and segments.frequency = 0 as is_former_buyer,
        engagement.interactions_per_month,
        engagement.median_gap_days,
        abc_classes.better_revenue_share,
        value_bands.points_measure,
        order_value_groups.frequency_level
    from {{ ref('int_customers__segments') }} as segments
    inner join engagement
        on
            segments.as_of_date = engagement.as_of_date
            and segments.customer_id = engagement.customer_id
    inner join {{ ref('int_customers__order_value_groups') }} as order_value_groups
        on
            segments.as_of_date = order_value_groups.as_of_date
            and segments.customer_id = order_value_groups.customer_id
    left join {{ ref('int_customers__value_bands') }} as value_bands
        on
            segments.as_of_date = value_bands.as_of_date
            and segments.customer_id = value_bands.customer_id
    left join {{ ref('int_customers__abc_classes') }} as abc_classes
        on
            segments.as_of_date = abc_classes.as_of_date
            and segments.customer_id = abc_classes.customer_id
    where segments.is_newest

),

bands as (
    select * from {{ ref('int_bands__by_as_of') }}
    where dimension not in ('r_score', 'f_score', 'm_score')
),

cuts as (
    select * from {{ ref('int_customers__rfm_cuts') }}
),

bounds as (

    select
        as_of_date,
        dimension,
        code,
        measure,
        rule_id,
        case when lower_bound > -999999999999 then cast(lower_bound as double) end
            as lower_bound,
        case when upper_bound < 999999999999 then cast(upper_bound as double) end
            as upper_bound,
        clause
    from bands

    union all

    select
        as_of_date,
        dimension,
        cast(score as {{ dbt.type_string() }}) as code,
        measure,
        dimension || '.' || cast(score as {{ dbt.type_string() }}) as rule_id,
        cast(lower_bound as double) as lower_bound,
        cast(upper_bound as double) as upper_bound,
        'M1' as clause
    from cuts

),

placed as (

    {% for code_column, measure, value in [
        ('r_score', "'recency_days'", 'recency_days'),
        ('f_score', "'frequency'", 'frequency'),
        ('m_score', "'monetary'", 'monetary'),
        ('spend_band', "'net_revenue_12m'", 'net_revenue_12m'),
        ('frequency_band', "'orders_12m'", 'orders_12m'),
        ('margin_band', "'margin_rate_12m'", 'margin_rate_12m'),
        ('value_tier', 'points_measure', 'value_points'),
        ('abc_class', "'better_revenue_share'", 'better_revenue_share'),
        ('order_value_group', "'orders_12m'", 'orders_12m'),
        ('activity_status', "'recency_days'", 'recency_days'),
        ('interaction_band', "'interactions_per_month'", 'interactions_per_month'),
        ('cycle_band', "'median_gap_days'", 'median_gap_days'),
        ('loyalty_band', "'repeat_rate'", 'repeat_rate')
    ] %}
    {% set is_group = code_column == 'order_value_group' %}
    {% set rule_dimension = 'order_frequency' if is_group else code_column %}
    {% set rule_code = 'frequency_level' if is_group else code_column %}
    select
        as_of_date,
        customer_id,
        '{{ code_column }}' as dimension,
        cast({{ code_column }} as {{ dbt.type_string() }}) as code,
        '{{ rule_dimension }}' as rule_dimension,
        cast({{ rule_code }} as {{ dbt.type_string() }}) as rule_code,
        {{ measure }} as measure,
        cast({{ value }} as double) as value
    from customers
    where
        {{ code_column }} is not null
        {% if code_column in ('r_score', 'f_score', 'm_score') %}
        and not is_former_buyer
        {% elif code_column == 'abc_class' %}
        and better_revenue_share is not null
        {% endif %}
    {% if not loop.last %}
    union all
    {% endif %}
    {% endfor %}

),

band_reasons as (

    select
        placed.as_of_date,
        placed.customer_id,
        placed.dimension,
        placed.code,
        coalesce(bounds.rule_id, placed.rule_dimension || '.' || placed.rule_code)
            as rule_id,
        placed.measure,
        case when bounds.rule_id is not null then placed.value end as value,
        bounds.lower_bound,
        bounds.upper_bound,
        bounds.clause
    from placed
    left join bounds
        on
            placed.as_of_date = bounds.as_of_date
            and placed.rule_dimension = bounds.dimension
            and placed.rule_code = bounds.code
            and placed.measure = bounds.measure
            and placed.value is not null

)

select * from band_reasons
