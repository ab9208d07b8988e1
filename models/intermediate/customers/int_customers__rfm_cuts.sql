-- Grain: one row per as-of date, score dimension and score that somebody got, the values that get it.
-- Half-open like every band, open at both ends: a value placed by the cuts gets the score that it
-- got by rank, and so does a value that nobody had.
with

ranked as (
    select * from {{ ref('int_customers__rfm') }}
    where frequency > 0 and rfm_code is not null
),

settings as (
    select * from {{ ref('int_settings__by_as_of') }}
),

bands as (
    select * from {{ ref('int_bands__by_as_of') }}
    where dimension in ('r_score', 'f_score', 'm_score')
),

scored_values as (

    {% for dimension, measure in [
        ('r_score', 'recency_days'), ('f_score', 'frequency'), ('m_score', 'monetary')
    ] %}
    select
        as_of_date,
        '{{ dimension }}' as dimension,
        '{{ measure }}' as measure,
        {{ dimension }} as score,
        cast(min({{ measure }}) as decimal(18, 2)) as lowest_value,
        count(*) as customers
    from ranked
    group by as_of_date, {{ dimension }}
    {% if not loop.last %}
    union all
    {% endif %}
    {% endfor %}

),

neighbours as (

    select
        *,
        row_number() over by_value as place,
        lead(lowest_value) over by_value as upper_bound
    from scored_values
    window by_value as (
        partition by as_of_date, dimension
        order by lowest_value asc nulls first
    )

),

cuts as (

    select
        neighbours.as_of_date,
        neighbours.dimension,
        neighbours.measure,
        neighbours.score,
        case when neighbours.place > 1 then neighbours.lowest_value end as lower_bound,
        neighbours.upper_bound,
        neighbours.customers,
        settings.rfm_method
    from neighbours
    inner join settings
        on
            neighbours.as_of_date = settings.as_of_date
            and settings.rfm_method = 'quantile'

    union all

    -- By thresholds the rule is the cut, whoever is there.
    select
        bands.as_of_date,
        bands.dimension,
        bands.measure,
        cast(bands.code as int) as score,
        case when bands.lower_bound > -999999999999 then bands.lower_bound end
            as lower_bound,
        case when bands.upper_bound < 999999999999 then bands.upper_bound end
            as upper_bound,
        coalesce(scored_values.customers, 0) as customers,
        settings.rfm_method
    from bands
    inner join settings
        on
            bands.as_of_date = settings.as_of_date
            and settings.rfm_method = 'threshold'
    left join scored_values
        on
            bands.as_of_date = scored_values.as_of_date
            and bands.dimension = scored_values.dimension
            and cast(bands.code as int) = scored_values.score

)

select * from cuts
