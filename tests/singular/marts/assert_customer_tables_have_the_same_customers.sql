-- Every customer has exactly one row in each of the customer tables, all of them of the
-- newest as-of.
{%- set tables = [
    'customers', 'customer_rfm', 'customer_value', 'customer_engagement',
    'customer_lifecycle', 'customer_profiles', 'customer_segments', 'customer_clusters'
] %}
with

newest_as_of as (
    select * from {{ ref('int_as_of_dates') }}
    where is_newest
),

rows_of_customers as (
    {% for table in tables %}
    select
        '{{ table }}' as customer_table,
        customer_id,
        as_of_date
    from {{ ref(table) }}
    {% if not loop.last %}
    union all
    {% endif %}
    {%- endfor %}
)

select rows_of_customers.customer_id
from rows_of_customers
left join newest_as_of
    on rows_of_customers.as_of_date = newest_as_of.as_of_date
group by rows_of_customers.customer_id
having
    count(newest_as_of.as_of_date) <> {{ tables | length }}
    {%- for table in tables %}
    or count(*) filter (where rows_of_customers.customer_table = '{{ table }}') <> 1
    {%- endfor %}
