-- No share reaches the cuts of both sides at once: of two sides that make up a whole, the
-- lowest shares that name a code add up to more than 1, on every day.
with

bands as (
    select * from {{ ref('bands') }}
    where
        dimension in ('need_type', 'product_preference', 'channel_preference')
        and lower_bound is not null
),

days_of_change as (

    select valid_from as change_date
    from bands
    group by valid_from

),

lowest_shares as (

    select
        days_of_change.change_date,
        bands.dimension,
        bands.measure,
        min(bands.lower_bound) as lowest_share
    from days_of_change
    inner join bands
        on
            days_of_change.change_date >= bands.valid_from
            and (bands.valid_to is null or days_of_change.change_date <= bands.valid_to)
    group by days_of_change.change_date, bands.dimension, bands.measure

)

select
    change_date,
    dimension
from lowest_shares
group by change_date, dimension
having count(*) <> 2 or sum(lowest_share) <= 1
