"""Which rows of the rules make a test fail, so that a person knows what to mend in `seeds/`.

A failing test counts its rows and quotes none: they may name customers. Rules name nobody, so a
test that rests on seeds alone is asked once more for its rows.
"""

import contextlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import duckdb

from orchestration import dbt
from orchestration.audit import BuildBusy, open_build
from orchestration.home import Home

SHOWN_ROWS = 5


def with_broken_rules(
    place: Home, found: Iterable[dbt.Finding], results: Iterable[Mapping[str, Any]]
) -> list[dbt.Finding]:
    """Return the findings, those of tests of the rules with the rows and the seeds to mend.

    Args:
        place: the home whose last dbt command found them; its build file is read.
        found: the findings.
        results: the results of that command.
    """
    manifest = dbt.target_folder(place) / "manifest.json"
    compiled = {result["unique_id"]: result.get("compiled_code") for result in results}
    nodes = json.loads(manifest.read_text())["nodes"] if manifest.exists() else {}
    explained = []
    for finding in found:
        seeds = seeds_judged(nodes, finding.unique_id)
        query = compiled.get(finding.unique_id)
        if seeds and query and finding.status in ("fail", "warn"):
            rows = _rows(place, query)
            finding = replace(finding, details=(*rows, f"To mend in {' or '.join(seeds)}."))
        explained.append(finding)
    return explained


def seeds_judged(nodes: Mapping[str, Any], unique_id: str) -> list[str]:
    """Return the files of the seeds that a test rests on; none if it rests on anything else."""
    if nodes.get(unique_id, {}).get("resource_type") != "test":
        return []
    seeds, waiting = set(), [unique_id]
    while waiting:
        node = nodes.get(waiting.pop())
        # A source: what was delivered may name persons.
        if node is None:
            return []
        if node["resource_type"] == "seed":
            seeds.add(node["original_file_path"])
        elif not node["depends_on"]["nodes"]:
            return []
        else:
            waiting += node["depends_on"]["nodes"]
    return sorted(seeds)


def _rows(place: Home, query: str) -> list[str]:
    """Return the first rows of a test's query as text, none where they cannot be had."""
    with (
        contextlib.suppress(FileNotFoundError, BuildBusy, duckdb.Error),
        open_build(place) as build,
    ):
        build.execute(f"select * from (\n{query}\n) order by all limit {SHOWN_ROWS + 1}")
        names = [column[0] for column in build.description or ()]
        rows = build.fetchall()
        told = [
            ", ".join(f"{name} {_text(value)}" for name, value in zip(names, row, strict=True))
            for row in rows[:SHOWN_ROWS]
        ]
        return [*told, "and more"] if len(rows) > SHOWN_ROWS else told
    return []


def _text(value: object) -> str:
    if value is None:
        return "(blank)"
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    return str(value)
