-- Grain: one row per as-of date and customer, the tier that it is served by.
-- Alternatives of codes; the first that holds wins, the last asks for nothing.
with

measures as (
    select * from {{ ref('int_customers__measures') }}
),

value_bands as (
    select * from {{ ref('int_customers__value_bands') }}
),

engagement as (
    select * from {{ ref('int_customers__engagement') }}
),

potential as (
    select * from {{ ref('int_customers__potential') }}
),

service_tiers as (
    select * from {{ ref('service_tiers') }}
),

customers as (

    select
        measures.as_of_date,
        measures.is_newest,
        measures.customer_id,
        value_bands.value_tier,
        value_bands.margin_band,
        engagement.loyalty_band,
        potential.potential_band
    from measures
    inner join engagement
        on
            measures.as_of_date = engagement.as_of_date
            and measures.customer_id = engagement.customer_id
    left join value_bands
        on
            measures.as_of_date = value_bands.as_of_date
            and measures.customer_id = value_bands.customer_id
    left join potential
        on
            measures.as_of_date = potential.as_of_date
            and measures.customer_id = potential.customer_id

),

tiered as (

    select
        customers.as_of_date,
        customers.is_newest,
        customers.customer_id,
        min_by(service_tiers.code, service_tiers.priority) as service_tier,
        min_by(service_tiers.rule_id, service_tiers.priority) as service_rule_id
    from customers
    inner join service_tiers
        on
            {{ holds_on('service_tiers', 'customers.as_of_date') }}
            and {{ alternative_holds(
                'service_tiers', 'customers',
                ['value_tier', 'margin_band', 'loyalty_band', 'potential_band'], []
            ) }}
    group by customers.as_of_date, customers.is_newest, customers.customer_id

)

select * from tiered
