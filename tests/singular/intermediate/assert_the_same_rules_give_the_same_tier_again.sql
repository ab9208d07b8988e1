-- A value tier rests on the customer and the rules alone: where no rule of it changed, scoring
-- once more by the rules of the month-end before gives the tier that the customer has.
with

rescored as (
    select * from {{ ref('int_customers__rescored') }}
),

segments as (
    select * from {{ ref('int_customers__segments') }}
),

rescorings as (
    select * from {{ ref('int_rescorings') }}
),

changes as (

    select
        changes.changed_on,
        migration_rules.dimension
    from {{ ref('int_rules__changes') }} as changes
    inner join {{ ref('migration_rules') }} as migration_rules
        on changes.rule_set = migration_rules.rule_set
    where migration_rules.dimension = 'value_tier'

)

select
    rescored.purpose,
    rescored.scored_as_of,
    rescored.customer_id
from rescored
inner join rescorings
    on
        rescored.purpose = rescorings.purpose
        and rescored.scored_as_of = rescorings.scored_as_of
inner join segments
    on
        rescored.scored_as_of = segments.as_of_date
        and rescored.customer_id = segments.customer_id
left join changes
    on
        rescorings.rules_day < changes.changed_on
        and rescorings.scored_as_of >= changes.changed_on
where
    changes.changed_on is null
    and rescored.value_tier is distinct from segments.value_tier
