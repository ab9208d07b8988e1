-- Grain: one row per accepted segment set by hand, and whether it was right.
-- Right is what the rules, which do not know of it, say of the customer three months later.
with

reviews as (
    select * from {{ ref('int_segment_overrides__reviews') }}
),

history as (
    select * from {{ ref('customer_segments_history') }}
),

current_segments as (
    select * from {{ ref('int_customers__final_segments') }}
    where is_newest
),

segment_ranks as (
    select * from {{ ref('segment_ranks') }}
    where dimension = 'model_segment'
),

judged as (

    select
        reviews.*,
        before_it.model_segment as model_segment_before,
        after_it.model_segment as model_segment_after,
        current_segments.model_segment as model_segment_now,
        case
            when reviews.valid_from > reviews.newest_as_of_date then 'planned'
            when reviews.valid_to < reviews.newest_as_of_date then 'expired'
            when current_segments.override_id = reviews.override_id then 'in_force'
            else 'superseded'
        end as override_status
    from reviews
    left join history as before_it
        on
            reviews.customer_id = before_it.customer_id
            and reviews.before_as_of = before_it.as_of_date
    left join history as after_it
        on
            reviews.customer_id = after_it.customer_id
            and reviews.after_as_of = after_it.as_of_date
    left join current_segments
        on reviews.customer_id = current_segments.customer_id

),

ranked as (

    select
        judged.*,
        abs(ranks_before.segment_rank - ranks.segment_rank) as distance_before,
        abs(ranks_after.segment_rank - ranks.segment_rank) as distance_after
    from judged
    left join segment_ranks as ranks
        on judged.segment = ranks.code
    left join segment_ranks as ranks_before
        on judged.model_segment_before = ranks_before.code
    left join segment_ranks as ranks_after
        on judged.model_segment_after = ranks_after.code

),

override_ledger as (

    select
        newest_as_of_date as as_of_date,
        override_id,
        customer_id,
        segment,
        reason,
        author,
        evidence,
        valid_from,
        valid_to,
        override_status,
        model_segment_before,
        model_segment_now,
        after_as_of as reviewed_on,
        model_segment_after,
        case
            when after_as_of is null then 'pending'
            when model_segment_after is null then 'not_measured'
            when model_segment_before = segment then 'agreed'
            when model_segment_after = segment then 'confirmed'
            when distance_after < distance_before then 'nearer'
            else 'refuted'
        end as override_outcome,
        cast(net_revenue_before as decimal(18, 2)) as net_revenue_3m_before,
        cast(net_revenue_after as decimal(18, 2)) as net_revenue_3m_after
    from ranked

)

select * from override_ledger
