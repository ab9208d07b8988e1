-- Grain: one row per month-end that this build computes and customer of it or of the month-end before.
-- The opening is what the history says, also of a month-end that it keeps; `recomputed_` is that
-- month-end on today's data.
{% set codes = [
    'final_segment', 'model_segment', 'value_tier', 'order_value_group',
    'lifecycle_stage'
] %}

with

rescorings as (
    select * from {{ ref('int_rescorings') }}
    where purpose = 'migration'
),

kept_history as (
    select * from {{ ref('stg_control__kept_history') }}
),

segments as (
    select * from {{ ref('int_customers__segments') }}
),

opening as (

    select
        rescorings.scored_as_of,
        kept_history.customer_id,
        {% for code in codes %}
        kept_history.{{ code }},
        {% endfor %}
        kept_history.net_revenue_12m
    from kept_history
    inner join rescorings
        on kept_history.as_of_date = rescorings.rules_day
    where rescorings.is_kept

    union all

    select
        rescorings.scored_as_of,
        segments.customer_id,
        {% for code in codes %}
        segments.{{ code }},
        {% endfor %}
        segments.net_revenue_12m
    from segments
    inner join rescorings
        on segments.as_of_date = rescorings.rules_day
    where not rescorings.is_kept

),

closing as (

    select
        rescorings.scored_as_of,
        segments.customer_id,
        {% for code in codes %}
        segments.{{ code }},
        {% endfor %}
        segments.net_revenue_12m
    from segments
    inner join rescorings
        on segments.as_of_date = rescorings.scored_as_of

),

recomputed as (

    select
        rescorings.scored_as_of,
        {% for code in codes %}
        segments.{{ code }},
        {% endfor %}
        segments.customer_id
    from segments
    inner join rescorings
        on segments.as_of_date = rescorings.rules_day
    where rescorings.is_kept

),

followed as (

    select
        coalesce(opening.scored_as_of, closing.scored_as_of) as scored_as_of,
        coalesce(opening.customer_id, closing.customer_id) as customer_id,
        opening.customer_id is null as is_entry,
        closing.customer_id is null as is_exit,
        {% for code in codes %}
        opening.{{ code }} as from_{{ code }},
        closing.{{ code }} as to_{{ code }},
        {% endfor %}
        opening.net_revenue_12m as opening_net_revenue_12m,
        closing.net_revenue_12m as closing_net_revenue_12m
    from opening
    full outer join closing
        on
            opening.scored_as_of = closing.scored_as_of
            and opening.customer_id = closing.customer_id

),

movements as (

    select
        followed.*,
        {% for code in codes %}
        recomputed.{{ code }} as recomputed_{{ code }},
        {% endfor %}
        recomputed.customer_id is not null as was_recomputed
    from followed
    left join recomputed
        on
            followed.scored_as_of = recomputed.scored_as_of
            and followed.customer_id = recomputed.customer_id

)

select * from movements
