-- Grain: one row per month-end and restatement of it.
-- A log: rows are added and never changed, not even by a full rebuild.
with

restated as (
    select * from {{ ref('int_customers__restated') }}
),

restatements as (

    select
        restatement_id,
        as_of_date,
        last_delivery_id,
        reason,
        cast(customers_before as bigint) as customers_before,
        cast(customers_after as bigint) as customers_after,
        cast(customers_changed as bigint) as customers_changed,
        net_revenue_12m_before,
        net_revenue_12m_after
    from restated
    {% if is_incremental() %}
    -- A build that is repeated has nothing to compare with any more.
    where restatement_id not in (select restatement_id from {{ this }})
    {% endif %}

)

select * from restatements
