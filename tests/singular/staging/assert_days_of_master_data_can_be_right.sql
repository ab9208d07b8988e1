-- Customers registered and were verified on days that can be right, neither before the
-- earliest believed day nor after their delivery. A warning: such a day counts as unknown.
{{ config(severity='warn') }}

select customer_id
from {{ ref('stg_shop__customers') }}
where day_reason is not null
