-- Grain: one row per final segment at the newest as-of.
with

segments as (
    select * from {{ ref('int_customers__segments') }}
),

engagement as (
    select * from {{ ref('int_customers__engagement') }}
    where is_newest
),

as_of_dates as (
    select * from {{ ref('int_as_of_dates') }}
    where is_newest
),

labels as (
    select * from {{ ref('labels') }}
    where dimension = 'final_segment'
),

nps_groups as (
    select * from {{ ref('int_bands__by_as_of') }}
    where dimension = 'nps_group'
),

missing_feeds as (
    select * from {{ ref('int_feeds__missing') }}
),

totals as (

    select
        as_of_date,
        final_segment,
        count(*) as customers,
        sum(net_revenue_12m) as net_revenue_12m,
        sum(clv_predicted) as clv_predicted
    from segments
    group by as_of_date, final_segment

),

opinions as (

    select
        segments.final_segment,
        -- As decimals: a sum of doubles depends on the order of adding.
        sum(cast(engagement.repeat_rate as decimal(18, 12))) as repeat_rates,
        count(engagement.repeat_rate) as rated_customers,
        sum(engagement.csat_sum_12m) as csat_sum_12m,
        sum(engagement.csat_answers_12m) as csat_answers_12m,
        count(*) filter (where nps_groups.code = 'promoter') as promoters,
        count(*) filter (where nps_groups.code = 'detractor') as detractors,
        count(nps_groups.code) as nps_answers
    from segments
    inner join engagement
        on
            segments.as_of_date = engagement.as_of_date
            and segments.customer_id = engagement.customer_id
    left join nps_groups
        on {{ in_band('engagement', 'nps_answer', 'nps_groups', 'nps_group') }}
    group by segments.final_segment

),

notes as (

    select
        trim(
            {% for need in [
                'costs', 'categories', 'interactions', 'csat', 'nps', 'referrals'
            ] %}
            max(case when need = '{{ need }}' then note_en || ' ' else '' end)
            {% if not loop.last %}||{% endif %}
            {% endfor %}
        ) as note_en,
        trim(
            {% for need in [
                'costs', 'categories', 'interactions', 'csat', 'nps', 'referrals'
            ] %}
            max(case when need = '{{ need }}' then note_zh else '' end)
            {% if not loop.last %}||{% endif %}
            {% endfor %}
        ) as note_zh
    from missing_feeds

),

-- Every segment has a row, also one that nobody is in today.
summary as (

    select
        as_of_dates.as_of_date,
        labels.code as segment,
        labels.sort_order,
        coalesce(current_totals.customers, 0) as customers,
        coalesce(current_totals.net_revenue_12m, 0) as net_revenue_12m,
        coalesce(current_totals.customers, 0) - coalesce(previous_totals.customers, 0)
            as customers_change,
        coalesce(current_totals.net_revenue_12m, 0)
        - coalesce(previous_totals.net_revenue_12m, 0) as net_revenue_12m_change,
        current_totals.clv_predicted,
        cast(opinions.repeat_rates as double)
        / nullif(cast(opinions.rated_customers as double), 0) as repeat_rate,
        -- Per cent promoters less per cent detractors, -100 to 100.
        100 * cast(opinions.promoters - opinions.detractors as double)
        / nullif(cast(opinions.nps_answers as double), 0) as nps,
        cast(opinions.csat_sum_12m as double)
        / nullif(cast(opinions.csat_answers_12m as double), 0) as csat_average,
        notes.note_en,
        notes.note_zh
    from as_of_dates
    cross join labels
    cross join notes
    left join totals as current_totals
        on
            as_of_dates.as_of_date = current_totals.as_of_date
            and labels.code = current_totals.final_segment
    left join totals as previous_totals
        on
            as_of_dates.previous_as_of_date = previous_totals.as_of_date
            and labels.code = previous_totals.final_segment
    left join opinions
        on labels.code = opinions.final_segment

),

shared_summary as (

    select
        as_of_date,
        segment,
        cast(sort_order as int) as sort_order,
        cast(customers as bigint) as customers,
        cast(customers as double)
        / nullif(cast(sum(customers) over () as double), 0) as customer_share,
        cast(net_revenue_12m as decimal(18, 2)) as net_revenue_12m,
        cast(net_revenue_12m as double)
        / nullif(cast(sum(net_revenue_12m) over () as double), 0) as revenue_share,
        cast(customers_change as bigint) as customers_change,
        cast(net_revenue_12m_change as decimal(18, 2)) as net_revenue_12m_change,
        cast(clv_predicted as decimal(18, 2)) as clv_predicted,
        repeat_rate,
        nps,
        csat_average,
        note_en,
        note_zh
    from summary

)

select * from shared_summary
