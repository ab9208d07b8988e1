-- One row per segment of a dimension, trait and code: its customers beside all customers.
with

-- Customers alike are one row, before each becomes a row per trait.
people as (

    select
        population.{column} as segment,
        profiles.customer_type,
        coalesce(profiles.country, 'unknown') as country,
        profiles.need_type,
        profiles.product_preference,
        profiles.channel_preference,
        profiles.core_need,
        coalesce(profiles.top_category_1, 'unknown') as top_category_1,
        coalesce(profiles.age_band, 'unknown') as age_band,
        coalesce(profiles.revenue_band, 'unknown') as revenue_band,
        count(*) as customers
    from {population} as population
    inner join marts.main.customer_profiles as profiles
        on population.customer_id = profiles.customer_id
    group by all

),

traits as (

    unpivot people on columns(* exclude (segment, customers)) into name trait value code

),

by_segment as (

    select
        segment,
        trait,
        code,
        sum(customers)::bigint as customers
    from traits
    group by all

),

of_all as (

    select
        trait,
        code,
        sum(customers)::bigint as all_customers
    from by_segment
    group by all

)

select
    by_segment.segment,
    by_segment.trait,
    by_segment.code,
    by_segment.customers,
    of_all.all_customers,
    sum(by_segment.customers) over (partition by by_segment.trait)::bigint as all_answers
from by_segment
inner join of_all on by_segment.trait = of_all.trait and by_segment.code = of_all.code
order by by_segment.segment, by_segment.trait, by_segment.customers desc, by_segment.code
