"""The month's report for the people who answer for the segmentation, from what is published.

It judges models, segments and rules, and names nobody: groups below `minimum_cell` show
no figures.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from orchestration import band_shares, versions
from orchestration.home import Home
from orchestration.readers import open_published
from orchestration.rule_days import rule_versions
from orchestration.settings import setting

MODELS = """
    select source, model, origin_date, horizon_days, measure, value, baseline_value
    from clv_model_card
    where horizon_days > 0 and bucket = 'all' and is_used
        and measure in ('aggregate_ratio', 'mae', 'rmse', 'spearman', 'coverage')
    order by source, model, origin_date, horizon_days, measure
"""
FITS = """
    select distinct as_of_date, source, model, status, coalesce(reason, '')
    from clv_parameters
    where as_of_date = (select max(as_of_date) from clv_parameters)
    order by source, model, status
"""
CLUSTERS = """
    select source, measure, value, minimum, maximum, is_met
    from cluster_quality where cluster_rank = 0 order by source, measure
"""
PERFORMANCE = """
    select dimension, segment, customers, return_rate, lapse_rate, revenue_per_customer_next_3m
    from segment_performance
    where as_of_date = (select max(as_of_date) from segment_performance)
        and dimension in ('final_segment', 'value_tier', 'lifecycle_stage')
    order by dimension, return_rate desc nulls last, segment
"""
SEPARATION = """
    select dimension, customers, return_rate, separation, monotonicity
    from segment_separation
    where as_of_date = (select max(as_of_date) from segment_separation)
    order by separation desc nulls last, dimension
"""
OVERRIDES = """
    select override_status, override_outcome, count(*)
    from override_ledger group by all order by 1, 2
"""
IMPACT = """
    select changed_on, dimension, from_segment, to_segment, customers, net_revenue_12m
    from rule_impact order by changed_on desc, dimension, from_segment, to_segment
"""
RESTATEMENTS = """
    select as_of_date, reason, customers_changed,
        net_revenue_12m_after - net_revenue_12m_before
    from restatements order by as_of_date desc, last_delivery_id desc limit 24
"""


@dataclass(frozen=True)
class Section:
    """One table of the report; `nothing` is what stands there where it has no rows.

    `counted` is the column that counts customers: rows below the minimum cell lose their figures.
    """

    title: str
    headings: tuple[str, ...]
    rows: list[tuple[Any, ...]]
    nothing: str
    counted: int | None = None


@dataclass(frozen=True)
class Review:
    """The report: where it was written, of which version and day, and what it warns of."""

    path: Path
    version: int
    as_of_date: date | None
    warnings: tuple[str, ...]


def review(place: Home) -> Review:
    """Write the report of the version that readers get, exports/reviews/<as-of>.md.

    Raises:
        VersionMissing: nothing is published.
        VersionDamaged: what is published cannot be read.
    """
    manifest = versions.current(place)
    if manifest is None:
        raise versions.VersionMissing("nothing is published yet: run ./segments run")
    number = manifest["version"]
    as_of = date.fromisoformat(manifest["as_of_date"]) if manifest["as_of_date"] else None
    found = sections(place, number)
    warned = warnings(place, as_of, manifest)
    text = render(manifest, found, warned, int(setting("minimum_cell")))
    folder = place.prepare().exports / "reviews"
    folder.mkdir(mode=0o750, exist_ok=True)
    path = folder / f"{as_of or 'no-day'}.md"
    beside = path.with_suffix(".tmp")
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o640)
    with open(handle, "w", encoding="utf-8") as stream:
        stream.write(text)
    beside.replace(path)
    return Review(path, number, as_of, tuple(warned))


def sections(place: Home, number: int) -> list[Section]:
    """Read the tables of the report from one version."""
    with open_published(place, "marts.duckdb", version=number) as marts:
        found = [
            Section(
                "Forecasts of CLV against what came",
                ("source", "model", "origin", "days", "measure", "model's", "naive rate's"),
                _rows(marts, MODELS),
                "No model in use has been backtested.",
            ),
            Section(
                "Fits of the newest as-of",
                ("as of", "source", "model", "status", "reason"),
                _rows(marts, FITS),
                "No model was fitted.",
            ),
            Section(
                "Clusters",
                ("source", "measure", "value", "at least", "at most", "kept"),
                _rows(marts, CLUSTERS),
                "Too few buyers for clusters.",
            ),
            Section(
                "What segments did in the 91 days after",
                ("dimension", "segment", "customers", "returned", "lapsed", "revenue each"),
                _rows(marts, PERFORMANCE),
                "No month-end lies 91 days back yet.",
                counted=2,
            ),
            Section(
                "Which segmentation tells best who comes back",
                ("dimension", "customers", "returned", "separation", "monotonicity"),
                _rows(marts, SEPARATION),
                "No month-end lies 91 days back yet.",
                counted=1,
            ),
            Section(
                "Segments set by hand",
                ("status", "outcome", "overrides"),
                _rows(marts, OVERRIDES),
                "Nobody has overruled the rules.",
            ),
            Section(
                "Whom the latest change of the rules moves",
                ("changed on", "dimension", "from", "to", "customers", "net revenue 12m"),
                _rows(marts, IMPACT),
                "No rule has changed.",
                counted=4,
            ),
        ]
    try:
        with open_published(place, "history.duckdb", version=number) as history:
            restated = _rows(history, RESTATEMENTS)
    except versions.VersionMissing:
        restated = []
    found.append(
        Section(
            "Month-ends restated",
            ("month-end", "reason", "customers changed", "revenue changed by"),
            restated,
            "No month-end was restated.",
            counted=2,
        )
    )
    return found


def warnings(place: Home, as_of: date | None, manifest: dict[str, Any]) -> list[str]:
    """Return what somebody should look at: odd bands, old rules, month-ends that wait."""
    found = [str(band) for band in band_shares.odd_bands(place)]
    newest = max((day for day, _ in rule_versions() if as_of is None or day <= as_of), default=None)
    if as_of and newest and (as_of - newest).days > int(setting("stale_rule_days")):
        since = "ever" if newest.year <= 1900 else f"since {newest}"
        found.append(
            f"No rule has changed {since}: ./segments calibrate shows whether they still fit."
        )
    marked = manifest.get("history", {}).get("marked", [])
    if marked:
        found.append(
            f"{len(marked)} month-ends, {marked[0]} to {marked[-1]}, wait to be restated: the job "
            f"month_end, or ./segments run --backfill {marked[0]}."
        )
    return found


def render(
    manifest: dict[str, Any], found: Sequence[Section], warned: Sequence[str], smallest: int
) -> str:
    """Return the report as Markdown."""
    lines = [
        f"# Review as of {manifest['as_of_date'] or 'no day'}",
        "",
        f"Version {manifest['version']}, published {manifest['published_at']}, schema "
        f"{manifest['schema_version']}, rules {manifest['rule_version']}. Groups of fewer than "
        f"{smallest} customers show no figures.",
        "",
        "## To look at",
        "",
        *([f"- {warning}" for warning in warned] or ["Nothing."]),
    ]
    for section in found:
        lines += ["", f"## {section.title}", ""]
        if not section.rows:
            lines.append(section.nothing)
            continue
        lines.append(f"| {' | '.join(section.headings)} |")
        lines.append(f"| {' | '.join('---' for _ in section.headings)} |")
        for row in section.rows:
            lines.append(f"| {' | '.join(_cells(row, section.counted, smallest))} |")
    return "\n".join(lines) + "\n"


def _cells(row: tuple[Any, ...], counted: int | None, smallest: int) -> list[str]:
    if counted is not None and row[counted] is not None and row[counted] < smallest:
        # Texts name the group; its figures could tell of single people.
        return [
            f"under {smallest}"
            if place == counted
            else _text(value)
            if isinstance(value, str | date)
            else ""
            for place, value in enumerate(row)
        ]
    return [_text(value) for value in row]


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:,.3f}"
    if isinstance(value, int):
        return f"{value:,}"
    return str(value).replace("|", "\\|").replace("\n", " ")


def _rows(connection: duckdb.DuckDBPyConnection, query: str) -> list[tuple[Any, ...]]:
    return connection.execute(query).fetchall()
