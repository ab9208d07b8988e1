-- Grain: one row per percentile, 1 to 100.
with

digits as (

    {% for digit in range(10) %}
    select {{ digit }} as digit
    {% if not loop.last %}
    union all
    {% endif %}
    {% endfor %}

),

percentiles as (

    select cast(10 * tens.digit + ones.digit + 1 as int) as percentile
    from digits as ones
    cross join digits as tens

)

select * from percentiles
