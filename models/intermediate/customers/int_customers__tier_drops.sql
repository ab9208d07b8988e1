-- Grain: one row per customer at the newest as-of whose value tier falls if nothing happens, the first day
-- on which it is lower than at the as-of.
with

departures as (
    select * from {{ ref('int_customers__departures') }}
),

bands as (
    select * from {{ ref('int_bands__by_as_of') }}
),

tier_ranks as (
    select * from {{ ref('segment_ranks') }}
    where dimension = 'value_tier'
),

placed_departures as (

    {{ place_value('departures', 'bands') }}

),

tier_drops as (

    select
        placed_departures.customer_id,
        min(placed_departures.leaves_on) as drops_on,
        min_by(placed_departures.value_tier, placed_departures.leaves_on)
            as drops_to_tier
    from placed_departures
    inner join tier_ranks
        on placed_departures.value_tier = tier_ranks.code
    where tier_ranks.segment_rank > placed_departures.tier_rank
    group by placed_departures.customer_id

)

select * from tier_drops
