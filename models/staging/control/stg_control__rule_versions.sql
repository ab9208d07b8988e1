-- Grain: one row per day from which on other rules hold.
with

rule_versions as (
    select * from {{ source('control', 'rule_versions') }}
),

renamed as (

    select
        valid_from,
        rule_version
    from rule_versions

)

select * from renamed
