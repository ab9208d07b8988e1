-- Grain: one row per thing that some source with customers tells nothing of at the newest as-of.
with

segments as (
    select * from {{ ref('int_customers__segments') }}
    where is_newest
),

engagement as (
    select * from {{ ref('int_customers__engagement') }}
    where is_newest
),

feed_notes as (
    select * from {{ ref('feed_notes') }}
),

known_by_source as (

    select
        segments.source,
        count(segments.value_tier) as buyers,
        count(segments.margin_12m) as costs,
        count(segments.category_count_12m) filter (where segments.orders_12m > 0)
            as categories,
        count(engagement.interactions_3m) as interactions,
        count(engagement.csat_average_12m) as csat,
        count(engagement.nps_answer) as nps,
        count(engagement.referral_part) as referrals
    from segments
    inner join engagement
        on segments.customer_id = engagement.customer_id
    group by segments.source

),

known_needs as (

    {% for need in [
        'costs', 'categories', 'interactions', 'csat', 'nps', 'referrals'
    ] %}
    select
        source,
        '{{ need }}' as need,
        {{ need }} as known_customers
    from known_by_source
    where buyers > 0
    {% if not loop.last %}
    union all
    {% endif %}
    {% endfor %}

),

missing as (

    select
        feed_notes.need,
        feed_notes.note_en,
        feed_notes.note_zh,
        feed_notes.sort_order,
        count(*) as sources,
        count(*) filter (where known_needs.known_customers = 0) as lacking_sources
    from known_needs
    inner join feed_notes
        on known_needs.need = feed_notes.need
    group by
        feed_notes.need,
        feed_notes.note_en,
        feed_notes.note_zh,
        feed_notes.sort_order
    having count(*) filter (where known_needs.known_customers = 0) > 0

)

select * from missing
