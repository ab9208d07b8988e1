-- Grain: one row per customer whose first days changed with new deliveries.
with

touched_customers as (
    {{ union_sources('touched_customers', ['touched_id', 'earliest_date']) }}
)

select * from touched_customers
