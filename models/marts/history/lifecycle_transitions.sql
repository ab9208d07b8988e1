-- Grain: one row per customer and month-end at which its stage is not that of the month-end before.
with

-- Without a changed month-end there is nothing to read again.
history as (
    select * from {{ ref('customer_segments_history') }}
    where exists (select 1 from {{ ref('int_month_ends__affected') }})
),

affected as (
    select * from {{ ref('int_month_ends__affected') }}
),

followed as (

    select
        customer_id,
        as_of_date,
        lifecycle_stage,
        lag(lifecycle_stage) over by_month_end as from_stage,
        lag(as_of_date) over by_month_end as from_as_of
    from history
    window by_month_end as (
        partition by customer_id
        order by as_of_date asc nulls first
    )

),

stage_begins as (

    select
        customer_id,
        as_of_date,
        lifecycle_stage,
        from_stage,
        from_as_of,
        lag(as_of_date) over (
            partition by customer_id
            order by as_of_date asc nulls first
        ) as former_stage_since
    from followed
    where from_stage is null or from_stage <> lifecycle_stage

),

transitions as (

    select
        stage_begins.customer_id || ':'
        || cast(stage_begins.as_of_date as {{ dbt.type_string() }})
            as lifecycle_transition_id,
        stage_begins.from_as_of,
        stage_begins.as_of_date,
        stage_begins.customer_id,
        stage_begins.from_stage,
        stage_begins.lifecycle_stage as to_stage,
        cast(
            {{ dbt.datediff(
                'stage_begins.former_stage_since', 'stage_begins.as_of_date', 'day'
            ) }} as bigint
        ) as days_in_former_stage
    from stage_begins
    inner join affected
        on stage_begins.as_of_date = affected.touched_id
    where stage_begins.from_stage is not null

)

select * from transitions
