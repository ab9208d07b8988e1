-- Grain: one row per as-of date and customer, its relationship tier and whether to activate it.
-- Both are alternatives of codes and measures; the first that holds wins.
with

engagement as (
    select * from {{ ref('int_customers__engagement') }}
),

value_bands as (
    select * from {{ ref('int_customers__value_bands') }}
),

relationship_tiers as (
    select * from {{ ref('relationship_tiers') }}
),

activation_rules as (
    select * from {{ ref('activation_rules') }}
),

customers as (

    select
        engagement.as_of_date,
        engagement.customer_id,
        engagement.interaction_band,
        engagement.csat_average_12m,
        engagement.loyalty_band,
        engagement.activity_status,
        value_bands.value_tier
    from engagement
    left join value_bands
        on
            engagement.as_of_date = value_bands.as_of_date
            and engagement.customer_id = value_bands.customer_id

),

tier_alternatives as (

    select
        customers.as_of_date,
        customers.customer_id,
        min(relationship_tiers.priority) as priority
    from customers
    inner join relationship_tiers
        on
            customers.interaction_band <> 'unknown'
            and customers.csat_average_12m is not null
            and {{ holds_on('relationship_tiers', 'customers.as_of_date') }}
            and {{ alternative_holds(
                'relationship_tiers', 'customers',
                ['interaction_band'], ['csat_average_12m']
            ) }}
    group by customers.as_of_date, customers.customer_id

),

activation_alternatives as (

    select
        customers.as_of_date,
        customers.customer_id,
        min(activation_rules.priority) as priority
    from customers
    inner join activation_rules
        on
            {{ holds_on('activation_rules', 'customers.as_of_date') }}
            and {{ alternative_holds(
                'activation_rules', 'customers', [
                    'value_tier', 'interaction_band', 'loyalty_band', 'activity_status'
                ], []
            ) }}
    group by customers.as_of_date, customers.customer_id

),

relationships as (

    select
        customers.as_of_date,
        customers.customer_id,
        coalesce(relationship_tiers.code, 'unknown') as relationship_tier,
        relationship_tiers.rule_id as relationship_rule_id,
        activation_rules.rule_id is not null as to_activate,
        activation_rules.rule_id as activation_rule_id
    from customers
    left join tier_alternatives
        on
            customers.as_of_date = tier_alternatives.as_of_date
            and customers.customer_id = tier_alternatives.customer_id
    left join relationship_tiers
        on
            tier_alternatives.priority = relationship_tiers.priority
            and {{ holds_on('relationship_tiers', 'customers.as_of_date') }}
    left join activation_alternatives
        on
            customers.as_of_date = activation_alternatives.as_of_date
            and customers.customer_id = activation_alternatives.customer_id
    left join activation_rules
        on
            activation_alternatives.priority = activation_rules.priority
            and {{ holds_on('activation_rules', 'customers.as_of_date') }}

)

select * from relationships
