-- Grain: one row per as-of date and customer who ever ordered, its score of 0 to 100 and its parts.
-- A part is its weight times the share of buyers strictly below, in hundredths, rounded half up in
-- whole numbers: equal customers get equal parts, and the parts add up to the score. What is unknown
-- counts nothing and is flagged.
with

measures as (
    select * from {{ ref('int_customers__measures') }}
    where orders_to_date > 0
),

clv as (
    select * from {{ ref('int_customers__clv') }}
),

engagement as (
    select * from {{ ref('int_customers__engagement') }}
),

composite_weights as (
    select * from {{ ref('composite_weights') }}
),

as_of_dates as (
    select * from {{ ref('int_as_of_dates') }}
),

weights as (

    select
        as_of_dates.as_of_date,
        max(composite_weights.weight) filter (where composite_weights.part = 'spend')
            as spend_weight,
        max(composite_weights.weight) filter (
            where composite_weights.part = 'frequency'
        ) as frequency_weight,
        max(composite_weights.weight) filter (where composite_weights.part = 'loyalty')
            as loyalty_weight,
        max(composite_weights.weight) filter (
            where composite_weights.part = 'potential'
        ) as potential_weight
    from as_of_dates
    inner join composite_weights
        on {{ holds_on('composite_weights', 'as_of_dates.as_of_date') }}
    group by as_of_dates.as_of_date

),

ranked as (

    select
        measures.as_of_date,
        measures.customer_id,
        clv.clv_predicted,
        engagement.loyalty_score,
        count(*) over (partition by measures.as_of_date) as buyers,
        rank() over (
            partition by measures.as_of_date
            order by measures.net_revenue_12m asc nulls first
        ) - 1 as spending_less,
        rank() over (
            partition by measures.as_of_date
            order by measures.orders_12m asc nulls first
        ) - 1 as ordering_less,
        count(clv.clv_predicted) over (
            partition by measures.as_of_date
            order by clv.clv_predicted asc nulls first
            range between unbounded preceding and current row
        ) - count(clv.clv_predicted) over (
            partition by measures.as_of_date, clv.clv_predicted
        ) as promising_less
    from measures
    inner join clv
        on
            measures.as_of_date = clv.as_of_date
            and measures.customer_id = clv.customer_id
    inner join engagement
        on
            measures.as_of_date = engagement.as_of_date
            and measures.customer_id = engagement.customer_id

),

hundredths as (

    select
        ranked.as_of_date,
        ranked.customer_id,
        {{ integer_quotient(
            '200 * weights.spend_weight * ranked.spending_less + ranked.buyers',
            '2 * ranked.buyers'
        ) }} as spend_hundredths,
        {{ integer_quotient(
            '200 * weights.frequency_weight * ranked.ordering_less + ranked.buyers',
            '2 * ranked.buyers'
        ) }} as frequency_hundredths,
        case
            when ranked.clv_predicted is not null
                then
                    {{ integer_quotient(
                        '200 * weights.potential_weight * ranked.promising_less'
                        ' + ranked.buyers',
                        '2 * ranked.buyers'
                    ) }}
        end as potential_hundredths,
        cast(round(100 * weights.loyalty_weight * ranked.loyalty_score) as bigint)
            as loyalty_hundredths
    from ranked
    inner join weights
        on ranked.as_of_date = weights.as_of_date

),

composite as (

    select
        as_of_date,
        customer_id,
        {% for part in ['spend', 'frequency', 'loyalty', 'potential'] %}
        cast(
            coalesce({{ part }}_hundredths, 0) * cast(0.01 as decimal(3, 2))
            as decimal(18, 2)
        ) as composite_{{ part }},
        {% endfor %}
        cast(
            (
                coalesce(spend_hundredths, 0)
                + coalesce(frequency_hundredths, 0)
                + coalesce(loyalty_hundredths, 0)
                + coalesce(potential_hundredths, 0)
            ) * cast(0.01 as decimal(3, 2))
            as decimal(18, 2)
        ) as composite_score,
        potential_hundredths is null or loyalty_hundredths is null
            as composite_is_incomplete
    from hundredths

)

select * from composite
