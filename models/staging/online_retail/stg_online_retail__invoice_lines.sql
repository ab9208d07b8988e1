-- Grain: one row per record of the published file, each with what becomes of it.
-- The workbook's two sheets overlap by nine days and the file holds them one after the other: where
-- time runs backwards a new sheet begins. A record enters as often as the sheet that holds it most
-- often has it, so the overlap counts once and repeats inside a sheet stay.
with

records as (
    select * from {{ source('online_retail', 'invoice_lines') }}
),

codes as (
    select * from {{ ref('online_retail_codes') }}
),

fact_settings as (
    select * from {{ ref('stg_rules__fact_settings') }}
),

following_records as (

    select
        *,
        -- A newer delivery of an invoice replaces it whole.
        max(_delivery_id) over (partition by invoice) as newest_delivery_id,
        case
            when
                invoiced_at < lag(invoiced_at) over (
                    partition by _delivery_id
                    order by _row_number asc nulls first
                )
                then 1
            else 0
        end as starts_a_sheet
    from records

),

in_sheets as (

    select
        *,
        sum(starts_a_sheet) over (
            partition by _delivery_id
            order by _row_number asc nulls first
            rows between unbounded preceding and current row
        ) as sheet
    from following_records

),

repeats_within_a_sheet as (

    select
        *,
        row_number() over (
            partition by
                _delivery_id, sheet, invoice, stock_code, description, quantity,
                invoiced_at, unit_price, customer_id, country
            order by _row_number asc nulls first
        ) as repeat_number
    from in_sheets

),

repeats_between_sheets as (

    select
        *,
        row_number() over (
            partition by
                _delivery_id, repeat_number, invoice, stock_code, description, quantity,
                invoiced_at, unit_price, customer_id, country
            order by sheet asc nulls first, _row_number asc nulls first
        ) as sheet_rank
    from repeats_within_a_sheet

),

dated as (

    select
        repeats_between_sheets.*,
        upper(trim(repeats_between_sheets.stock_code)) as product_code,
        repeats_between_sheets.invoice like 'C%' as is_credit,
        {{ business_date('repeats_between_sheets.invoiced_at') }} as invoice_date,
        {{ day_rejection(
            'repeats_between_sheets.invoiced_at', 'repeats_between_sheets._delivered_at'
        ) }} as day_reason
    from repeats_between_sheets
    cross join fact_settings

),

judged as (

    select
        dated.invoice,
        'online_retail:' || dated.invoice as order_id,
        cast(
            row_number() over (
                partition by dated.invoice
                order by
                    dated._delivery_id asc nulls first,
                    dated._row_number asc nulls first
            ) as bigint
        ) as line_number,
        'online_retail:' || dated.customer_id as customer_id,
        dated.country,
        dated.product_code,
        dated.description,
        dated.quantity,
        dated.unit_price,
        dated.invoiced_at,
        dated.invoice_date,
        dated.is_credit,
        coalesce(codes.treatment, 'product') as treatment,
        case
            when dated._delivery_id < dated.newest_delivery_id then 'superseded'
            when dated.sheet_rank > 1 then 'duplicate_of_another_sheet'
            when codes.rejection_reason is not null then codes.rejection_reason
            when dated.day_reason is not null then dated.day_reason
            when dated.unit_price <= 0 then 'no_price'
            when dated.is_credit and codes.treatment = 'shipping' then 'shipping_credit'
            when dated.is_credit and dated.quantity >= 0 then 'credit_not_negative'
            when dated.is_credit and dated.customer_id is null
                then 'credit_note_without_customer'
        end as rejection_reason,
        dated._delivery_id as delivery_id,
        dated._row_number as row_number
    from dated
    left join codes
        on dated.product_code = codes.stock_code

),

with_record_id as (

    select
        *,
        order_id || ':' || cast(line_number as {{ dbt.type_string() }}) as record_id
    from judged

)

select * from with_record_id
