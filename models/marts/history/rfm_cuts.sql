-- Grain: one row per month-end, score dimension and score, the values that get it.
with

cuts as (
    select * from {{ ref('int_customers__rfm_cuts') }}
),

month_ends as (
    select * from {{ ref('int_month_ends__touched') }}
),

kept_cuts as (

    select
        cast(cuts.as_of_date as {{ dbt.type_string() }}) || ':' || cuts.dimension || ':'
        || cast(cuts.score as {{ dbt.type_string() }}) as rfm_cut_id,
        cuts.as_of_date,
        cuts.dimension,
        cuts.measure,
        cuts.score,
        cast(cuts.lower_bound as decimal(18, 2)) as lower_bound,
        cast(cuts.upper_bound as decimal(18, 2)) as upper_bound,
        cast(cuts.customers as bigint) as customers,
        cuts.rfm_method
    from cuts
    inner join month_ends
        on cuts.as_of_date = month_ends.touched_id

)

select * from kept_cuts
