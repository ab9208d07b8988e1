-- Grain: one row per as-of date and customer, what clusters are made of.
-- The sample is drawn by a hash of the customer's id: the same customers as long as they buy, and
-- in an order that says nothing of them.
with

rfm as (
    select * from {{ ref('int_customers__rfm') }}
),

engagement as (
    select * from {{ ref('int_customers__engagement') }}
),

settings as (
    select * from {{ ref('int_settings__by_as_of') }}
),

customers as (

    select
        rfm.as_of_date,
        rfm.is_newest,
        engagement.source,
        rfm.customer_id,
        engagement.orders_to_date,
        rfm.headline_segment,
        rfm.frequency > 0 as is_buyer,
        cast(rfm.recency_days as double) as recency,
        cast(rfm.frequency as double) as frequency,
        -- More paid back than bought is nothing bought: a logarithm knows no debt.
        cast(greatest(rfm.monetary, 0) as double) as monetary,
        cast(engagement.interactions_3m as double) as interactions,
        settings.cluster_sample,
        settings.minimum_cluster_customers
    from rfm
    inner join engagement
        on
            rfm.as_of_date = engagement.as_of_date
            and rfm.customer_id = engagement.customer_id
    inner join settings
        on rfm.as_of_date = settings.as_of_date

),

buyers as (

    select
        as_of_date,
        customer_id,
        cluster_sample,
        minimum_cluster_customers,
        count(*) over (partition by as_of_date, source) as buyer_count,
        row_number() over (
            partition by as_of_date, source
            order by md5(customer_id) asc nulls last, customer_id asc nulls last
        ) as sample_number
    from customers
    where is_buyer

),

sample_buyers as (

    select
        as_of_date,
        customer_id,
        sample_number
    from buyers
    where sample_number <= cluster_sample and buyer_count >= minimum_cluster_customers

),

cluster_measures as (

    select
        customers.as_of_date,
        customers.is_newest,
        customers.source,
        customers.customer_id,
        customers.orders_to_date,
        customers.headline_segment,
        customers.is_buyer,
        customers.recency,
        customers.frequency,
        customers.monetary,
        customers.interactions,
        cast(sample_buyers.sample_number as bigint) as sample_number
    from customers
    left join sample_buyers
        on
            customers.as_of_date = sample_buyers.as_of_date
            and customers.customer_id = sample_buyers.customer_id

)

select * from cluster_measures
