-- Every record of Online Retail II is a sale line, a credit, postage, or rejected with
-- a reason (a duplicate is one): together they are the records that landed.
with

records as (

    select
        _delivery_id as delivery_id,
        count(*) as record_count
    from {{ source('online_retail', 'invoice_lines') }}
    group by _delivery_id

),

outcomes as (

    select delivery_id
    from {{ ref('stg_online_retail__order_lines') }}
    union all
    select delivery_id
    from {{ ref('stg_online_retail__refunds') }}
    union all
    select delivery_id
    from {{ ref('stg_online_retail__invoice_lines') }}
    where rejection_reason is null and treatment = 'shipping'
    union all
    select delivery_id
    from {{ ref('stg_online_retail__invoice_lines') }}
    where rejection_reason is not null

),

outcome_counts as (

    select
        delivery_id,
        count(*) as record_count
    from outcomes
    group by delivery_id

)

select coalesce(records.delivery_id, outcome_counts.delivery_id) as delivery_id
from records
full outer join outcome_counts
    on records.delivery_id = outcome_counts.delivery_id
where coalesce(records.record_count, 0) <> coalesce(outcome_counts.record_count, 0)
