-- The RFM map has each of the 125 codes exactly once, and a code is its three scores.
with

rfm_map as (
    select * from {{ ref('rfm_map') }}
),

scores as (
    {% for score in range(1, 6) %}
    select {{ score }} as score
    {% if not loop.last %}
    union all
    {% endif %}
    {%- endfor %}
),

codes as (

    select
        cast(
            recency.score * 100 + frequency.score * 10 + monetary.score
            as {{ dbt.type_string() }}
        ) as rfm_code
    from scores as recency
    cross join scores as frequency
    cross join scores as monetary

),

mapped_codes as (

    select
        rfm_code,
        count(*) as row_count,
        min(r_score * 100 + f_score * 10 + m_score) as code_of_scores
    from rfm_map
    group by rfm_code

)

select coalesce(codes.rfm_code, mapped_codes.rfm_code) as rfm_code
from codes
full outer join mapped_codes
    on codes.rfm_code = mapped_codes.rfm_code
where
    codes.rfm_code is null
    or mapped_codes.rfm_code is null
    or mapped_codes.row_count <> 1
    or cast(mapped_codes.code_of_scores as {{ dbt.type_string() }}) <> codes.rfm_code
