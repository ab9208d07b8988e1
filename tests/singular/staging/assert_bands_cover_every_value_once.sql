-- On every day the bands of a dimension and measure cover every value exactly once:
-- open at both ends, each beginning where the one before ends.
with

bands as (
    select * from {{ ref('bands') }}
),

-- What holds can change only on a day on which a row starts, or on the day after one
-- has ended.
days_of_change as (

    select valid_from as change_date
    from bands
    union
    select cast({{ dbt.dateadd('day', 1, 'valid_to') }} as date) as change_date
    from bands
    where valid_to is not null

),

measures as (

    select
        dimension,
        measure
    from bands
    group by dimension, measure

),

bands_on_days as (

    select
        days_of_change.change_date,
        measures.dimension,
        measures.measure,
        bands.rule_id,
        bands.lower_bound,
        bands.upper_bound
    from days_of_change
    cross join measures
    left join bands
        on
            measures.dimension = bands.dimension
            and measures.measure = bands.measure
            and days_of_change.change_date >= bands.valid_from
            and (bands.valid_to is null or days_of_change.change_date <= bands.valid_to)

),

neighbours as (

    select
        *,
        row_number() over (
            partition by change_date, dimension, measure
            order by lower_bound asc nulls first, rule_id asc nulls first
        ) as place,
        count(*) over (partition by change_date, dimension, measure) as band_count,
        lag(upper_bound) over (
            partition by change_date, dimension, measure
            order by lower_bound asc nulls first, rule_id asc nulls first
        ) as ended_before
    from bands_on_days

)

select
    change_date,
    dimension,
    measure,
    rule_id,
    lower_bound,
    upper_bound,
    ended_before as upper_bound_of_the_band_below
from neighbours
where
    rule_id is null
    or lower_bound >= upper_bound
    or (place = 1 and lower_bound is not null)
    or (place > 1 and (lower_bound is null or ended_before is null))
    or (place > 1 and lower_bound <> ended_before)
    or (place = band_count and upper_bound is not null)
