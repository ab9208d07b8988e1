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

buyers as (

    select
        measures.as_of_date,
        measures.customer_id,
        measures.net_revenue_12m,
        measures.orders_12m,
        clv.clv_predicted,
        engagement.loyalty_score
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

buyer_counts as (

    select
        as_of_date,
        count(*) as buyers
    from buyers
    group by as_of_date

),

-- Counted by value: a window over all buyers of all as-ofs would not fit the memory.
{% for measure in ['net_revenue_12m', 'orders_12m', 'clv_predicted'] %}
{{ measure }}_ranks as (

    select
        as_of_date,
        {{ measure }},
        sum(count(*)) over (
            partition by as_of_date
            order by {{ measure }} asc nulls first
            rows between unbounded preceding and current row
        ) - count(*) as buyers_below
    from buyers
    where {{ measure }} is not null
    group by as_of_date, {{ measure }}

),
{% endfor %}

ranked as (

    select
        buyers.as_of_date,
        buyers.customer_id,
        buyers.clv_predicted,
        buyers.loyalty_score,
        buyer_counts.buyers,
        cast(net_revenue_12m_ranks.buyers_below as bigint) as spending_less,
        cast(orders_12m_ranks.buyers_below as bigint) as ordering_less,
        cast(clv_predicted_ranks.buyers_below as bigint) as promising_less
    from buyers
    inner join buyer_counts
        on buyers.as_of_date = buyer_counts.as_of_date
    inner join net_revenue_12m_ranks
        on
            buyers.as_of_date = net_revenue_12m_ranks.as_of_date
            and buyers.net_revenue_12m = net_revenue_12m_ranks.net_revenue_12m
    inner join orders_12m_ranks
        on
            buyers.as_of_date = orders_12m_ranks.as_of_date
            and buyers.orders_12m = orders_12m_ranks.orders_12m
    left join clv_predicted_ranks
        on
            buyers.as_of_date = clv_predicted_ranks.as_of_date
            and buyers.clv_predicted = clv_predicted_ranks.clv_predicted

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
