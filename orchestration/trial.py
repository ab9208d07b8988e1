"""A private place where changed rules are tried out: a build file of its own, gone afterwards.

It is filled with just what the models that a change reaches read, so it costs no copy of the facts.
"""

import contextlib
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import duckdb

from orchestration import audit, dbt
from orchestration.broken_rules import with_broken_rules
from orchestration.copies import quoted
from orchestration.home import Home, writer_lock
from orchestration.rules import Row, Seed

# The model that holds every code of a customer; what leads to it is judged anew.
SEGMENTS = "int_customers__segments"
# Where a change of rules stops: rules cannot change what a fact is, and the trial's days are those
# of the build.
STAGING = "models/staging/"
STOPS = {"int_month_ends"}

Nodes = Mapping[str, Mapping[str, Any]]


class RulesRefused(Exception):
    """The tests of the rules refuse a set; `findings` name them and the rows to mend."""

    def __init__(self, findings: list[dbt.Finding]) -> None:
        """Keep what was found."""
        super().__init__("the tests of the rules refuse this set, so nothing was changed")
        self.findings = findings


@contextlib.contextmanager
def trial(place: Home) -> Iterator[Home]:
    """Make an empty home inside the working folder of `place`, removed at the end.

    Raises:
        WriterBusy: another trial is under way.
    """
    with writer_lock(place, "a trial of rules", name="trial.lock"):
        # Under the lock nobody works in these: a trial that was killed left them.
        for left in place.warehouse.glob("trial-*"):
            shutil.rmtree(left)
        with tempfile.TemporaryDirectory(prefix="trial-", dir=place.warehouse) as folder:
            yield Home(Path(folder)).prepare()


def parsed_nodes(place: Home, own: Home) -> dict[str, dict[str, Any]]:
    """Return the manifest's nodes for a trial, from what the home had parsed if that still holds.

    Raises:
        DbtFailed: the project does not parse.
    """
    target = dbt.target_folder(own)
    target.mkdir(parents=True, exist_ok=True)
    for name in ("manifest.json", "parsed_from"):
        parsed = dbt.target_folder(place) / name
        if parsed.exists():
            shutil.copyfile(parsed, target / name)
    return dbt.read_nodes(own)


def models_reached(nodes: Nodes, seeds: Iterable[str]) -> list[str]:
    """Return the ids of the models between seeds and the customers' codes, the latter included."""
    goal = f"model.segments.{SEGMENTS}"
    children: dict[str, list[str]] = {}
    for unique_id, node in nodes.items():
        if node["resource_type"] == "model" and not _stops(node):
            for parent in node["depends_on"]["nodes"]:
                children.setdefault(parent, []).append(unique_id)
    parents = {unique_id: node["depends_on"].get("nodes", []) for unique_id, node in nodes.items()}
    reached = _walk(children, [f"seed.segments.{name}" for name in seeds])
    return sorted(reached & (_walk(parents, [goal]) | {goal}))


def tests_of(nodes: Nodes, seeds: Iterable[str], models: Iterable[str] = ()) -> list[str]:
    """Return the ids of the tests of changed seeds, and of those that rest on `models` alone."""
    changed = {f"seed.segments.{name}" for name in seeds}
    rebuilt = set(models)
    found = []
    for unique_id, node in nodes.items():
        parents = set(node["depends_on"].get("nodes", []))
        if node["resource_type"] != "test" or not parents:
            continue
        rests_on_seeds = all(parent.startswith("seed.") for parent in parents)
        if (rests_on_seeds and parents & changed) or parents <= rebuilt:
            found.append(unique_id)
    return sorted(found)


def relations_read(nodes: Nodes, models: Iterable[str]) -> list[tuple[str, str]]:
    """Return schema and name of what models read and are not themselves, and of all seeds."""
    chosen = set(models)
    read = {parent for model in chosen for parent in nodes[model]["depends_on"]["nodes"]} - chosen
    read |= {unique_id for unique_id, node in nodes.items() if node["resource_type"] == "seed"}
    return sorted((nodes[each]["schema"], nodes[each]["alias"]) for each in read)


def copy_relations(
    build: duckdb.DuckDBPyConnection, own: Home, relations: Iterable[tuple[str, str]]
) -> None:
    """Copy tables and views of the attached `build` into a trial's build file, as tables."""
    build.execute(f"attach {audit.literal(own.build_file)} as own")
    for schema, name in relations:
        relation = f"{quoted(schema)}.{quoted(name)}"
        build.execute(f"create schema if not exists own.{quoted(schema)}")
        build.execute(f"create table own.{relation} as from build.{relation}")
    build.execute("detach own")
    own.build_file.chmod(0o600)


def write_seed(build: duckdb.DuckDBPyConnection, seed: Seed, rows: Iterable[Row]) -> None:
    """Write the rows of a seed into a build file as dbt would: a blank is null, types are its own.

    Raises:
        duckdb.ConversionException: a value is not of the column's type.
    """
    table = f"seeds.{quoted(seed.name)}"
    columns = ", ".join(f"{quoted(column)} {seed.type_of(column)}" for column in seed.header)
    build.execute("create schema if not exists seeds")
    build.execute(f"create or replace table {table} ({columns})")
    places = ", ".join("?" for _ in seed.header)
    build.executemany(
        f"insert into {table} values ({places})",
        [[row[column] or None for column in seed.header] for row in rows],
    )


def call(own: Home, verb: str, nodes: Nodes, chosen: Iterable[str]) -> None:
    """Have dbt build or test the chosen nodes of a trial, and no others.

    Raises:
        RulesRefused: a test failed.
        DbtFailed: anything else did.
    """
    names = [nodes[unique_id]["name"] for unique_id in chosen]
    only = ("--exclude-resource-type", "unit_test", "--indirect-selection", "empty")
    try:
        dbt.call(own, verb, *only, "--select", *names)
    except dbt.DbtFailed:
        results = dbt.read_results(own)
        found = [each for each in dbt.findings(results) if each.status != "warn"]
        if not any(each.status == "fail" for each in found):
            raise
        raise RulesRefused(with_broken_rules(own, found, results)) from None


def _stops(node: Mapping[str, Any]) -> bool:
    return node["original_file_path"].startswith(STAGING) or node["name"] in STOPS


def _walk(edges: Mapping[str, Iterable[str]], start: Iterable[str]) -> set[str]:
    """Return what can be reached along edges, without where it starts."""
    found: set[str] = set()
    waiting = list(start)
    while waiting:
        for each in edges.get(waiting.pop(), ()):
            if each not in found:
                found.add(each)
                waiting.append(each)
    return found
