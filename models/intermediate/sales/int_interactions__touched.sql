-- Grain: one row per interaction that new deliveries touch.
with

touched_interactions as (
    {{ union_sources('touched_interactions', ['touched_id', 'earliest_date']) }}
)

select * from touched_interactions
