-- Grain: one row per order, or credit note without one, that new deliveries touch.
with

touched_orders as (
    {{ union_sources('touched_orders', ['touched_id', 'earliest_date']) }}
)

select * from touched_orders
