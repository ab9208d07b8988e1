"""The hourly step: what new deliveries did to the customers they touch, in one small file.

A whole version is published once a day, with everything tested. In between, `customer_segments` and
all that it needs is built and tested, and the rows of the touched customers go into
`published/triggers.duckdb`, replaced in one step. No version is made, and no delivery counts as
published: that is what the next refresh starts from, so it catches up as after a failed run.
"""

import contextlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb

from orchestration import audit, control, copies, dbt, versions
from orchestration.audit import literal
from orchestration.copies import STORAGE_VERSION, Table, quoted
from orchestration.home import Home, memory_limit, writer_lock
from orchestration.versions import DRAFT, sync

FILE = "triggers.duckdb"
TABLE = "touched_customers"
MODEL = "customer_segments"
# What dbt builds: the model with all that it needs, and the tests that rest on nothing else.
ARGUMENTS = (
    *("build", "--select", f"+{MODEL}", "--indirect-selection", "cautious"),
    *("--exclude-resource-type", "unit_test"),
)
# What is a code says the seed that names them.
DIMENSIONS = "select code from build.seeds.labels where dimension = 'dimension'"
PASSED = {"success", "pass", "warn"}

# Who is named by what the new deliveries touch, now or in the published version.
TOUCHED = """
create temp table touched as
with ledger as (
    select order_id, refund_id, customer_id from build.intermediate.int_sales_ledger
    union all
    select order_id, refund_id, customer_id from facts.main.sales_ledger
),
contacts as (
    select interaction_id, customer_id from build.intermediate.int_interactions__united
    union all
    select interaction_id, customer_id from facts.main.interactions
)
select customer_id from ledger
where order_id in (select touched_id from build.intermediate.int_orders__touched)
    or refund_id in (select touched_id from build.intermediate.int_orders__touched)
union
select customer_id from contacts
where interaction_id in (select touched_id from build.intermediate.int_interactions__touched)
union
select touched_id from build.intermediate.int_customers__touched
"""


class TriggersNotPublishable(Exception):
    """The triggers of this build must not reach readers; the message says why."""


@dataclass(frozen=True)
class Triggers:
    """What was published: for which version, as of when, how many customers, how many changed.

    `reason` says why nothing was; then the numbers are 0.
    """

    base_version: int | None
    as_of_date: date | None
    customers: int = 0
    changed: int = 0
    reason: str | None = None


def run_triggers(place: Home) -> Triggers:
    """Build what the codes of customers need, and publish those of the touched ones.

    Takes the writer's lock for both, so that nothing comes between them.

    Raises:
        DbtFailed: a model or test failed; what is published stays.
        TriggersNotPublishable: see `publish_triggers`.
        WriterBusy: another process writes the warehouse.
    """
    with writer_lock(place, "triggers"):
        reason = why_not_now(place)
        if reason is not None:
            return Triggers(None, None, reason=reason)
        # Else the results of the build before would stand for one that could write none.
        (dbt.target_folder(place) / "run_results.json").unlink(missing_ok=True)
        dbt.call(place, *ARGUMENTS)
        return publish_triggers(place)


def why_not_now(place: Home) -> str | None:
    """Return why there is nothing to do before the next refresh, None if there is."""
    with audit.open_build(place) as build:
        found = build.execute(
            "select base_version, since_delivery_id, is_full_rebuild, reason "
            "from build.control.increment"
        ).fetchone()
        if found is None or found[0] is None:
            return "nothing is published yet: the refresh comes first"
        if found[2]:
            return f"everything is to be built anew ({found[3]}): the refresh does it"
        newest = max((one.delivery_id for one in audit.read_deliveries(build)), default=0)
        if newest <= found[1]:
            return "nothing was delivered since the published version"
        about = read_about(place) or {}
        if (about.get("base_version"), about.get("last_delivery_id")) == (found[0], newest):
            return "nothing was delivered since the last triggers"
    return None


def publish_triggers(place: Home) -> Triggers:
    """Write the touched customers of the build and switch readers to the file.

    Call it under the writer's lock.

    Raises:
        TriggersNotPublishable: the build that `run_triggers` makes did not pass, or is of another
            state than the ledger's, or what is published changed since it began.
    """
    nodes, sources = _graph(place)
    try:
        opened = audit.open_build(place)
        with opened as build:
            found = audit.read_audit(build)
            newest = max((one.delivery_id for one in audit.read_deliveries(build)), default=None)
            results = _results(place)
            refusal = why_not_passed(
                found, results, needed(nodes, sources), newest
            ) or control.why_outdated(build)
            if refusal is not None:
                raise TriggersNotPublishable(refusal)
            published = versions.current(place)
            base = build.execute("select base_version from build.control.increment").fetchone()
            if published is None or base is None or base[0] != published["version"]:
                raise TriggersNotPublishable("another version is published than it began with")
            assert found is not None
            return _write(place, build, published, found)
    except (FileNotFoundError, audit.BuildBusy) as error:
        raise TriggersNotPublishable(str(error)) from error


def needed(nodes: Mapping[str, Any], sources: Mapping[str, Any]) -> set[str]:
    """Return the unique ids of what must have run: the model, what it needs, and their tests."""
    (model,) = (
        unique_id
        for unique_id, node in nodes.items()
        if node["resource_type"] == "model" and node["name"] == MODEL
    )
    above = {model}
    waiting = [model]
    while waiting:
        for parent in nodes.get(waiting.pop(), {}).get("depends_on", {}).get("nodes", []):
            if parent not in above:
                above.add(parent)
                waiting.append(parent)
    tests = {
        unique_id
        for unique_id, node in nodes.items()
        if node["resource_type"] == "test"
        and node["depends_on"]["nodes"]
        and set(node["depends_on"]["nodes"]) <= above
    }
    built = {
        unique_id
        for unique_id in above - set(sources)
        if nodes[unique_id]["config"].get("materialized") != "ephemeral"
    }
    return built | tests


def why_not_passed(
    found: audit.Audit | None,
    results: Mapping[str, Any],
    expected: Iterable[str],
    newest_delivery: int | None,
) -> str | None:
    """Return why the last build is not one that passed in all that is needed, None if it is.

    Args:
        found: the audit that the build left in the build file.
        results: dbt's run_results.json, empty where there is none.
        expected: unique ids of what must have run.
        newest_delivery: the ledger's greatest delivery id.
    """
    if found is None:
        return "no dbt build has finished here since the last one began"
    if found.failures:
        return f"the last build failed in {', '.join(found.failures[: audit.NAMED_FAILURES])}"
    if (results.get("metadata") or {}).get("invocation_id") != found.invocation_id:
        return "the results at hand are not those of the last build"
    passed = {one["unique_id"] for one in results["results"] if one["status"] in PASSED}
    missing = sorted(set(expected) - passed)
    if missing:
        return f"the last build did not run all that is needed: {', '.join(missing[:5])} is missing"
    if found.last_delivery_id != newest_delivery:
        return "files were ingested after the build"
    return None


def read_about(place: Home) -> dict[str, Any] | None:
    """Return what the published file says of itself, None where there is none that can be read."""
    path = place.published / FILE
    if not path.is_file():
        return None
    try:
        # The open file is read on where another takes its place.
        with duckdb.connect(str(path), read_only=True) as connection:
            cursor = connection.execute("select * from about")
            names = [column[0] for column in cursor.description]
            row = cursor.fetchone()
    except duckdb.Error:
        return None
    return None if row is None else dict(zip(names, row, strict=True))


def _graph(place: Home) -> tuple[dict[str, Any], dict[str, Any]]:
    manifest = json.loads(dbt.prepare_manifest(place).read_text())
    return manifest["nodes"], manifest["sources"]


def _results(place: Home) -> dict[str, Any]:
    path = dbt.target_folder(place) / "run_results.json"
    return json.loads(path.read_text()) if path.exists() else {}


def _write(
    place: Home,
    build: duckdb.DuckDBPyConnection,
    published: Mapping[str, Any],
    found: audit.Audit,
) -> Triggers:
    version = versions.versions_folder(place) / str(published["version"])
    draft = place.published / f"{FILE}{DRAFT}"
    for left in (draft, draft.with_name(f"{draft.name}.wal")):
        left.unlink(missing_ok=True)
    for name in ("facts", "marts"):
        build.execute(f"attach {literal(version / f'{name}.duckdb')} as {name} (read_only)")
    build.execute(TOUCHED)
    (table,) = (one for one in copies.catalog(build, "build", ["customers"]) if one.name == MODEL)
    try:
        build.execute(f"attach {literal(draft)} as copy (storage_version '{STORAGE_VERSION}')")
        build.execute("begin")
        dimensions = {name for (name,) in build.execute(DIMENSIONS).fetchall()}
        for statement in _statements(table, dimensions):
            build.execute(statement)
        customers, changed, as_of = build.execute(
            f"select count(*), count(*) filter (where changed_codes <> ''), max(as_of_date) "
            f"from copy.main.{TABLE}"
        ).fetchone() or (0, 0, None)
        build.execute(
            "create table copy.main.about as select ?::bigint as base_version, "
            "?::timestamp as published_at, ?::varchar as invocation_id, "
            "?::bigint as last_delivery_id, ?::date as as_of_date, ?::bigint as customers",
            [
                published["version"],
                datetime.now(UTC).replace(tzinfo=None, microsecond=0),
                found.invocation_id,
                found.last_delivery_id,
                as_of,
                customers,
            ],
        )
        build.execute("commit")
        build.execute("checkpoint copy")
        build.execute("detach copy")
        _verify(draft, customers)
        draft.chmod(0o440)
        sync(draft)
        draft.replace(place.published / FILE)
        sync(place.published)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            draft.unlink()
        raise
    return Triggers(published["version"], as_of, customers, changed)


def _statements(table: Table, dimensions: set[str]) -> list[str]:
    """Return the statements that write the touched customers as `customer_segments` has them."""
    codes = [column.name for column in table.columns if column.name in dimensions]
    compared = ", ".join(
        f"case when now.{quoted(code)} is distinct from before.{quoted(code)} "
        f"then {literal(code)} end"
        for code in codes
    )
    target = f"copy.main.{TABLE}"
    return [
        # A customer of today only has no codes of before: all of them are new.
        f"create table {target} as select now.*, "
        f"concat_ws(', ', {compared}) as changed_codes "
        f"from build.{quoted(table.schema)}.{quoted(table.name)} as now "
        f"left join marts.main.{MODEL} as before on now.customer_id = before.customer_id "
        f"where now.customer_id in (select customer_id from touched) order by now.customer_id",
        f"comment on table {target} is 'One row per customer touched since the published version: "
        f"customer_segments as of now.'",
        f"comment on column {target}.changed_codes is 'Codes that are others than in the published "
        f"version, by their columns; empty if none is.'",
        *(
            f"comment on column {target}.{quoted(column.name)} is {literal(column.comment)}"
            for column in table.columns
            if column.comment is not None
        ),
    ]


def _verify(draft: Path, customers: int) -> None:
    if draft.with_name(f"{draft.name}.wal").exists():
        raise copies.CopyDiffers(f"{draft.name} was left with a WAL")
    if copies.storage_number(draft) > copies.STORAGE_NUMBER:
        raise copies.CopyDiffers(f"{draft.name} needs a newer DuckDB")
    with duckdb.connect(":memory:", config={"memory_limit": memory_limit()}) as connection:
        connection.execute(f"attach {literal(draft)} as copy (read_only)")
        found = connection.execute(f"select count(*) from copy.main.{TABLE}").fetchone()
        if found != (customers,):
            raise copies.CopyDiffers(f"{draft.name} holds {found} customers, not {customers}")
