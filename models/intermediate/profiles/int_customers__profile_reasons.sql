-- Grain: one row per customer at the newest as-of, dimension and measure that decided its portrait.
-- From the code back to the row of the rule, as in int_customers__band_reasons. What is unknown says
-- of how little it would have to be told. Age is left out: its band says all that may be known.
with

attributes as (
    select * from {{ ref('int_customers__attributes') }}
),

preferences as (
    select * from {{ ref('int_customers__preferences') }}
),

shares as (
    select * from {{ ref('int_customers__preference_shares') }}
),

core_needs as (
    select * from {{ ref('int_customers__core_needs') }}
),

settings as (
    select * from {{ ref('int_settings__by_as_of') }}
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
    from {{ ref('int_bands__by_as_of') }}

),

wholes as (

    select
        customer_id,
        dimension,
        max(whole) as whole
    from shares
    group by customer_id, dimension

),

-- The measure that tells whether there is enough to go by, and from where on there is.
preferred as (

    {% for dimension, measure, enough, clause in [
        ('need_type', 'need_signals_12m', 'settings.minimum_need_signals', 'N1'),
        ('product_preference', 'price_tier_revenue_12m', '0.01', 'N2'),
        ('channel_preference', 'channel_orders_12m', '1', 'N2')
    ] %}
    select
        preferences.as_of_date,
        preferences.customer_id,
        '{{ dimension }}' as dimension,
        preferences.{{ dimension }} as code,
        '{{ measure }}' as evidence,
        cast({{ enough }} as double) as enough,
        '{{ clause }}' as clause
    from preferences
    inner join settings
        on preferences.as_of_date = settings.as_of_date
    {% if not loop.last %}
    union all
    {% endif %}
    {% endfor %}

),

profile_reasons as (

    -- A code between two sides has a row for each: neither reached its cut.
    select
        preferred.as_of_date,
        preferred.customer_id,
        preferred.dimension,
        preferred.code,
        bounds.rule_id,
        bounds.measure,
        -- In whole cents, as int_customers__preferences divides.
        cast(shares.part * 100 as double) / cast(shares.whole * 100 as double) as value,
        bounds.lower_bound,
        bounds.upper_bound,
        bounds.clause
    from preferred
    inner join bounds
        on
            preferred.as_of_date = bounds.as_of_date
            and preferred.dimension = bounds.dimension
            and preferred.code = bounds.code
    inner join shares
        on
            preferred.customer_id = shares.customer_id
            and bounds.dimension = shares.dimension
            and bounds.measure = shares.measure

    union all

    select
        preferred.as_of_date,
        preferred.customer_id,
        preferred.dimension,
        preferred.code,
        preferred.dimension || '.unknown' as rule_id,
        preferred.evidence as measure,
        cast(coalesce(wholes.whole, 0) as double) as value,
        cast(null as double) as lower_bound,
        preferred.enough as upper_bound,
        preferred.clause
    from preferred
    left join wholes
        on
            preferred.customer_id = wholes.customer_id
            and preferred.dimension = wholes.dimension
    where preferred.code = 'unknown'

    union all

    select
        core_needs.as_of_date,
        core_needs.customer_id,
        'core_need' as dimension,
        core_needs.core_need as code,
        case
            when core_needs.mention_count > 0
                then 'need_topics.' || core_needs.core_need
            else 'core_needs.' || attributes.customer_type
        end as rule_id,
        'topic_mentions_12m' as measure,
        cast(core_needs.mention_count as double) as value,
        -- As often as the need that comes next, else not at all.
        cast(
            case
                when core_needs.mention_count > 0
                    then greatest(core_needs.next_mention_count, 1)
            end as double
        ) as lower_bound,
        cast(case when core_needs.mention_count = 0 then 1 end as double)
            as upper_bound,
        'N2' as clause
    from core_needs
    inner join attributes
        on core_needs.customer_id = attributes.customer_id

    union all

    select
        attributes.as_of_date,
        attributes.customer_id,
        'revenue_band' as dimension,
        attributes.revenue_band as code,
        coalesce(bounds.rule_id, 'revenue_band.unknown') as rule_id,
        'annual_revenue' as measure,
        cast(attributes.annual_revenue as double) as value,
        bounds.lower_bound,
        bounds.upper_bound,
        coalesce(bounds.clause, 'P1') as clause
    from attributes
    left join bounds
        on
            attributes.as_of_date = bounds.as_of_date
            and bounds.dimension = 'revenue_band'
            and attributes.revenue_band = bounds.code
    where attributes.revenue_band is not null

)

select * from profile_reasons
