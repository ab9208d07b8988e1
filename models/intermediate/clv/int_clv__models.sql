-- Grain: one row per as-of date and source with buyers, the models that score its customers.
-- A fit that did not converge is replaced by that of the preceding month-end, once; a model that loses
-- to the naive rate on both counts scores nobody.
with

as_of_dates as (
    select * from {{ ref('int_as_of_dates') }}
),

bases as (
    select * from {{ ref('int_clv__bases') }}
),

choices as (
    select * from {{ ref('int_clv__choices') }}
),

fitted as (
    select * from {{ ref('int_clv__fitted') }}
),

fits as (

    select
        fit_date,
        source,
        asked_model,
        max(model) as model,
        max(status) as status,
        max(reason) as reason,
        max(value) filter (where parameter = 'r') as r,
        max(value) filter (where parameter = 'alpha') as alpha,
        max(value) filter (where parameter = 'a') as a,
        max(value) filter (where parameter = 'b') as b,
        max(value) filter (where parameter = 'p') as p,
        max(value) filter (where parameter = 'q') as q,
        max(value) filter (where parameter = 'v') as v,
        max(value) filter (where parameter = 'mean') as mean_spend
    from fitted
    group by fit_date, source, asked_model

),

asked as (

    select
        as_of_dates.as_of_date,
        as_of_dates.previous_as_of_date,
        bases.source,
        bases.clv_basis,
        coalesce(choices.winner, 'mbgnbd') as asked_model,
        choices.winner is not null as is_judged,
        coalesce(choices.is_worse_than_naive, false) as is_worse_than_naive
    from as_of_dates
    inner join bases
        on as_of_dates.as_of_date = bases.fit_date
    left join choices
        on
            bases.source = choices.source
            and choices.judged_on = case
                when as_of_dates.is_month_end then as_of_dates.as_of_date
                else as_of_dates.previous_as_of_date
            end

),

candidates as (

    select
        asked.*,
        fits.status as own_status,
        coalesce(fits.reason = 'all customers are alike', false) as is_alike,
        coalesce(fits.status = 'converged', false) as is_own,
        coalesce(fits.status = 'converged', false)
        or coalesce(previous_fits.status = 'converged', false) as is_usable,
        case when fits.status = 'converged' then fits.model else previous_fits.model end
            as order_model,
        case when fits.status = 'converged' then fits.r else previous_fits.r end as r,
        case when fits.status = 'converged' then fits.alpha else previous_fits.alpha end
            as alpha,
        case when fits.status = 'converged' then fits.a else previous_fits.a end as a,
        case when fits.status = 'converged' then fits.b else previous_fits.b end as b,
        spends.model as spend_model,
        spends.p,
        spends.q,
        spends.v,
        spends.mean_spend
    from asked
    left join fits
        on
            asked.as_of_date = fits.fit_date
            and asked.source = fits.source
            and asked.asked_model = fits.asked_model
    left join fits as previous_fits
        on
            asked.previous_as_of_date = previous_fits.fit_date
            and asked.source = previous_fits.source
            and asked.asked_model = previous_fits.asked_model
    left join fits as spends
        on
            asked.as_of_date = spends.fit_date
            and asked.source = spends.source
            and spends.asked_model = 'gamma_gamma'
            and spends.status = 'converged'

),

models as (

    select
        as_of_date,
        source,
        clv_basis,
        asked_model,
        is_judged,
        case
            when is_worse_than_naive then 'formula_only'
            when own_status = 'insufficient_evidence' then 'insufficient_evidence'
            when is_own and spend_model is not null then 'fitted'
            when is_usable and spend_model is not null then 'previous_parameters'
            else 'formula_only'
        end as clv_status,
        case
            when is_worse_than_naive then 'worse_than_naive'
            when is_alike then 'customers_alike'
            when own_status = 'insufficient_evidence' then 'few_repeat_buyers'
            when not is_usable then own_status
            when spend_model is null then 'no_positive_spend'
            when not is_own then own_status
            when spend_model = 'mean_spend' then 'spend_by_mean'
            when order_model = 'nbd' then 'no_dropout'
            when not is_judged then 'not_judged'
            else 'converged'
        end as clv_reason,
        case when is_own then as_of_date else previous_as_of_date end
            as parameters_from,
        order_model,
        r,
        alpha,
        a,
        b,
        spend_model,
        p,
        q,
        v,
        mean_spend
    from candidates

)

select * from models
