-- Grain: one row per customer at the newest as-of, what master data say of it (P1).
-- A business is sized by its yearly revenue and a person by age: the other band is empty, and the
-- own one `unknown` where the figure is missing or cannot be. The birth date ends here.
with

existing_customers as (
    select * from {{ ref('int_customers__at_as_of') }}
    where is_newest
),

customers as (
    select * from {{ ref('int_customers__united') }}
),

settings as (
    select * from {{ ref('int_settings__by_as_of') }}
),

bands as (
    select * from {{ ref('int_bands__by_as_of') }}
),

days_after as (

    select
        as_of_date,
        cast({{ dbt.dateadd('day', 1, 'as_of_date') }} as date) as day_after
    from settings

),

described_customers as (

    select
        existing_customers.as_of_date,
        existing_customers.source,
        existing_customers.customer_id,
        case
            when customers.customer_type in ('business', 'consumer')
                then customers.customer_type
            else 'unknown'
        end as customer_type,
        customers.country,
        customers.region,
        customers.industry,
        customers.preferred_contact_channel,
        case when customers.annual_revenue >= 0 then customers.annual_revenue end
            as annual_revenue,
        -- Days of the year as month and day. The last of February stands for the 29th, so that
        -- a birthday on the 29th comes on the 28th in common years.
        extract(year from existing_customers.as_of_date)
        - extract(year from customers.birth_date) as years_apart,
        case
            when
                extract(month from existing_customers.as_of_date) = 2
                and extract(month from days_after.day_after) = 3
                then 229
            else
                100 * extract(month from existing_customers.as_of_date)
                + extract(day from existing_customers.as_of_date)
        end as as_of_day,
        100 * extract(month from customers.birth_date)
        + extract(day from customers.birth_date) as birthday
    from existing_customers
    inner join days_after
        on existing_customers.as_of_date = days_after.as_of_date
    inner join customers
        on existing_customers.customer_id = customers.customer_id

),

aged_customers as (

    select
        *,
        years_apart - case when as_of_day < birthday then 1 else 0 end as age_years
    from described_customers

),

attributes as (

    select
        aged_customers.as_of_date,
        aged_customers.source,
        aged_customers.customer_id,
        aged_customers.customer_type,
        case
            when aged_customers.customer_type = 'business' then aged_customers.industry
        end as industry,
        case
            when aged_customers.customer_type = 'business'
                then coalesce(revenue_bands.code, 'unknown')
        end as revenue_band,
        case
            when aged_customers.customer_type = 'business'
                then aged_customers.annual_revenue
        end as annual_revenue,
        case
            when aged_customers.customer_type = 'consumer'
                then coalesce(age_bands.code, 'unknown')
        end as age_band,
        aged_customers.country,
        aged_customers.region,
        aged_customers.preferred_contact_channel
    from aged_customers
    inner join settings
        on aged_customers.as_of_date = settings.as_of_date
    left join bands as revenue_bands
        on {{ in_band(
            'aged_customers', 'annual_revenue', 'revenue_bands', 'revenue_band'
        ) }}
    left join bands as age_bands
        on
            {{ in_band('aged_customers', 'age_years', 'age_bands', 'age_band') }}
            -- A birth date that is still to come makes less than no years.
            and aged_customers.age_years between 0 and settings.maximum_age

)

select * from attributes
