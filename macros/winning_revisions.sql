{#
  The revisions that hold, one per record: all columns, of the rows that `revision_rank` puts first.
  Few records have more than one revision, so only their keys are ranked and the losers left out: a
  window over whole rows would cost several times as much.
  relation:  a raw table, as `source` gives it
  key:       the raw column that names the record, never null
  condition: which revisions to look at, all of a record or none
  Example: {{ winning_revisions(source('shop', 'products'), 'product_id') }}
#}
{% macro winning_revisions(relation, key, condition='true') -%}
    select revisions.*
    from {{ relation }} as revisions
    left join (
        select
            _delivery_id,
            _row_number
        from {{ relation }}
        where {{ key }} in (
            select {{ key }}
            from {{ relation }}
            where {{ condition }}
            group by {{ key }}
            having count(*) > 1
        )
        qualify {{ revision_rank([key]) }} > 1
    ) as superseded
        on
            revisions._delivery_id = superseded._delivery_id
            and revisions._row_number = superseded._row_number
    where
        superseded._row_number is null
        and {{ condition }}
{%- endmacro %}
