# Grain: one row per as-of date, source, cluster and figure of its fit; cluster 0 is all of it.
# Every as-of is fitted to its own customers alone, so that its rows do not depend on which others a
# run computes. Only the newest is compared with the month-end before it, which every run has.
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
from duckdb import ColumnExpression, ConstantExpression, DuckDBPyRelation

from estimation import clusters

MEASURES = ["recency", "frequency", "monetary", "interactions"]
TYPES = pa.schema(
    [
        ("as_of_date", pa.date32()),
        ("source", pa.string()),
        ("cluster_rank", pa.int32()),
        ("cluster_name", pa.string()),
        ("measure", pa.string()),
        ("value", pa.float64()),
    ]
)


def model(dbt: Any, session: Any) -> pa.Table:
    """Return the figures of all fits, typed also where there are none."""
    dbt.config(materialized="table")
    as_of_dates = dbt.ref("int_as_of_dates")
    settings = dbt.ref("int_settings__by_as_of")
    cluster_names = dbt.ref("cluster_names")
    sample = dbt.ref("int_customers__cluster_measures").filter("sample_number is not null")

    before = dict(
        as_of_dates.filter("is_newest").project("as_of_date, previous_as_of_date").fetchall()
    )
    numbers = {
        day: range(fewest, most + 1)
        for day, fewest, most in settings.project(
            "as_of_date, minimum_clusters, maximum_clusters"
        ).fetchall()
    }
    rules = cluster_names.project(
        "cluster_name, valid_from, coalesce(valid_to, date '9999-12-31'), "
        "cast(recency as double), cast(frequency as double), cast(monetary as double)"
    ).fetchall()
    groups = sample.project("source, as_of_date").distinct().order("source, as_of_date")

    found = {}
    rows = []
    for source, day in groups.fetchall():
        buyers = sample_of(sample, source, day)
        # Where a source tells of no interaction, nobody's is known.
        fed = [each for each in MEASURES if not np.ma.is_masked(buyers[each])]
        values = np.column_stack([buyers[each] for each in fed])
        fit = clusters.fit(values, fed, numbers[day])
        names = clusters.name(fit, prototypes(rules, day))
        figures = [*clusters.figures(fit)]
        if day in before:
            previous = found.get((source, before[day]))
            figures += clusters.quality(values, fit, names, buyers["headline_segment"], previous)
        found[source, day] = fit, names
        rows += [
            (day, source, rank, names[rank - 1] if rank else None, measure, value)
            for rank, measure, value in figures
        ]
    return pa.Table.from_pylist(
        [dict(zip(TYPES.names, row, strict=True)) for row in rows], schema=TYPES
    )


def sample_of(sample: DuckDBPyRelation, source: str, day: date) -> Mapping[str, np.ndarray]:
    """Return the columns of the sampled buyers of a source, in their order."""
    is_its = (ColumnExpression("source") == ConstantExpression(source)) & (
        ColumnExpression("as_of_date") == ConstantExpression(day)
    )
    columns = ", ".join([*MEASURES, "headline_segment"])
    return sample.filter(is_its).order("sample_number").project(columns).fetchnumpy()


def prototypes(rules: Sequence[tuple], day: date) -> dict[str, dict[str, float]]:
    """Return the names that hold on a day, each with the middle of such customers."""
    return {
        name: dict(zip(MEASURES, middle, strict=False))
        for name, valid_from, valid_to, *middle in rules
        if valid_from <= day <= valid_to
    }
