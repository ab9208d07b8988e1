{#
  The rank of a delivered revision of a record; 1 is the revision that holds.
  The newest `updated_at` wins, then the newest delivery, then the last row: the order in which
  files happen to arrive decides only where the source gives no time.
  key: list of the raw columns that name the record
  Example: qualify {{ revision_rank(['order_id']) }} = 1
#}
{% macro revision_rank(key) -%}
    row_number() over (
        partition by {{ key | join(', ') }}
        order by
            updated_at desc nulls last,
            _delivery_id desc nulls last,
            _row_number desc nulls last
    )
{%- endmacro %}
