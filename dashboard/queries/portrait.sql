-- One row per trait and code: customers of one segment beside all customers.
with

people as (

    select profiles.*, population.{column} = $code as is_in
    from {population} as population
    inner join marts.main.customer_profiles as profiles
        on population.customer_id = profiles.customer_id

),

traits as (

    unpivot (
        select
            is_in,
            customer_type,
            coalesce(country, 'unknown') as country,
            need_type,
            product_preference,
            channel_preference,
            core_need,
            coalesce(top_category_1, 'unknown') as top_category_1,
            coalesce(age_band, 'unknown') as age_band,
            coalesce(revenue_band, 'unknown') as revenue_band
        from people
    ) on columns(* exclude (is_in)) into name trait value code

)

select
    trait,
    code,
    count(*) filter (where is_in) as customers,
    count(*) as all_customers
from traits
group by all
order by trait, customers desc, code
