-- Grain: one row per customer at the newest as-of whom a single change lifts to a higher value tier, the
-- change that costs least.
-- Where two cost as much, the one to the higher tier, then that with fewer orders.
with

steps as (
    select * from {{ ref('int_customers__steps') }}
),

bands as (
    select * from {{ ref('int_bands__by_as_of') }}
),

tier_ranks as (
    select * from {{ ref('segment_ranks') }}
    where dimension = 'value_tier'
),

labels as (
    select * from {{ ref('labels') }}
    where dimension = 'value_tier'
),

placed_steps as (

    {{ place_value('steps', 'bands') }}

),

cheapest_steps as (

    select
        placed_steps.customer_id,
        placed_steps.next_step_kind,
        placed_steps.value_tier as next_step_tier,
        cast(nullif(placed_steps.added_orders, 0) as int) as next_step_orders,
        placed_steps.added_amount as next_step_amount
    from placed_steps
    inner join tier_ranks
        on placed_steps.value_tier = tier_ranks.code
    where tier_ranks.segment_rank < placed_steps.tier_rank
    qualify row_number() over (
        partition by placed_steps.customer_id
        order by
            placed_steps.added_amount asc nulls last,
            tier_ranks.segment_rank asc nulls last,
            placed_steps.added_orders asc nulls last,
            placed_steps.next_step_kind asc nulls last,
            placed_steps.reached_rule_id asc nulls last
    ) = 1

),

next_steps as (

    select
        cheapest_steps.customer_id,
        labels.label_en || ' with '
        || case
            when cheapest_steps.next_step_orders is null
                then
                    cast(cheapest_steps.next_step_amount as {{ dbt.type_string() }})
                    || ' more of net revenue'
            else
                cast(cheapest_steps.next_step_orders as {{ dbt.type_string() }})
                || case
                    when cheapest_steps.next_step_orders = 1 then ' order more'
                    else ' orders more'
                end
                || ', worth '
                || cast(cheapest_steps.next_step_amount as {{ dbt.type_string() }})
                || ' in all'
        end as next_step_up,
        cheapest_steps.next_step_kind,
        cheapest_steps.next_step_tier,
        cheapest_steps.next_step_orders,
        cheapest_steps.next_step_amount
    from cheapest_steps
    inner join labels
        on cheapest_steps.next_step_tier = labels.code

)

select * from next_steps
