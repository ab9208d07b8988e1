"""What the last dbt build and the ledger of deliveries say about the private build file."""

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import duckdb

from orchestration.home import Home, memory_limit

NAMED_FAILURES = 20
DELIVERY_FACTS = ("source", "feed", "file_name", "sha256", "status")


class BuildBusy(Exception):
    """A writer holds the build file; the message names its process."""


@dataclass(frozen=True)
class Audit:
    """The row that `record_audit` left: the outcome of the last `dbt build`.

    `failures` are unique ids of dbt nodes. `relations` are the `schema.table` names that the
    project builds now; None where the row was written without them.
    """

    invocation_id: str
    finished_at: datetime
    passed: bool
    nodes_expected: int
    nodes_run: int
    last_delivery_id: int | None
    failures: tuple[str, ...]
    relations: frozenset[str] | None = None


@dataclass(frozen=True)
class Delivery:
    """One delivered file as the ledger has it; `rows_*` count rows."""

    delivery_id: int
    source: str
    feed: str
    file_name: str
    sha256: str
    status: str
    rows_landed: int
    rows_quarantined: int


@contextlib.contextmanager
def open_build(place: Home, spill: Path | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the build file read-only as the database `build` of an in-memory connection.

    An own in-memory instance, because a second `duckdb.connect` of one file in one process must
    repeat the settings of the first.

    Args:
        place: the home whose build file is read.
        spill: folder for what does not fit in memory; DuckDB would choose the working directory.

    Raises:
        FileNotFoundError: no build file.
        BuildBusy: another process has it open for writing.
    """
    if not place.build_file.exists():
        raise FileNotFoundError(f"there is no build file {place.build_file}")
    connection = duckdb.connect(
        ":memory:",
        config={
            "memory_limit": memory_limit(),
            "temp_directory": str(spill or place.warehouse / "spill"),
            "autoinstall_known_extensions": False,
        },
    )
    try:
        try:
            connection.execute(f"attach {literal(place.build_file)} as build (read_only)")
        except duckdb.IOException as error:
            if "lock" not in str(error).lower():
                raise
            holder = re.search(r"PID (\d+)", str(error))
            raise BuildBusy(
                f"{place.build_file} is being written by "
                f"{f'process {holder[1]}' if holder else 'another process'}"
            ) from error
        yield connection
    finally:
        connection.close()


def literal(value: object) -> str:
    """Quote a text for the few statements that take no bound values (attach, comment on)."""
    return "'" + str(value).replace("'", "''") + "'"


def has_table(build: duckdb.DuckDBPyConnection, schema: str, name: str) -> bool:
    """Say whether the build file holds this table or view."""
    found = build.execute(
        "select count(*) from information_schema.tables "
        "where table_catalog = 'build' and table_schema = ? and table_name = ?",
        [schema, name],
    ).fetchone()
    return bool(found and found[0])


def read_audit(build: duckdb.DuckDBPyConnection) -> Audit | None:
    """Return the last build's audit, None where no build has finished since one began."""
    if not has_table(build, "control", "build_audit"):
        return None
    cursor = build.execute("select * from build.control.build_audit")
    names = [column[0] for column in cursor.description]
    found = cursor.fetchone()
    if found is None:
        return None
    row = dict(zip(names, found, strict=True))
    relations = row.get("relations")
    return Audit(
        invocation_id=row["invocation_id"],
        finished_at=row["finished_at"],
        passed=row["passed"] is True,
        nodes_expected=row["nodes_expected"],
        nodes_run=row["nodes_run"],
        last_delivery_id=row["last_delivery_id"],
        failures=tuple(name for name in (row["failures"] or "").split(", ") if name),
        relations=None if relations is None else frozenset(relations),
    )


def read_deliveries(build: duckdb.DuckDBPyConnection) -> list[Delivery]:
    """Return the ledger in the order of its ids, empty before the first ingestion."""
    if not has_table(build, "raw", "deliveries"):
        return []
    rows = build.execute(
        f"select delivery_id, {', '.join(DELIVERY_FACTS)}, coalesce(rows_landed, 0), "
        "coalesce(rows_quarantined, 0) from build.raw.deliveries order by delivery_id"
    ).fetchall()
    return [Delivery(*row) for row in rows]


def newest_as_of(build: duckdb.DuckDBPyConnection) -> date | None:
    """Return the newest as-of date of the customers' segments, None where there is none."""
    if not has_table(build, "customers", "customer_segments"):
        return None
    found = build.execute(
        "select max(as_of_date)::date from build.customers.customer_segments"
    ).fetchone()
    return found[0] if found else None


def why_not_publishable(audit: Audit | None, newest_delivery: int | None) -> str | None:
    """Return the sentence that tells why this state must not be published, None where it may.

    Args:
        audit: the last build's audit.
        newest_delivery: the ledger's greatest delivery id, None where the ledger is empty.
    """
    if audit is None:
        return "no dbt build has finished here since the last one began: run ./segments run"
    if audit.failures:
        named = ", ".join(audit.failures[:NAMED_FAILURES])
        more = len(audit.failures) - NAMED_FAILURES
        return (
            f"the last build failed in {len(audit.failures)} of {audit.nodes_expected} nodes: "
            f"{named}{f' and {more} more' if more > 0 else ''}"
        )
    if not audit.passed:
        return (
            f"the last build ran {audit.nodes_run} of {audit.nodes_expected} nodes, and a partial "
            f"build is not published: run ./segments run"
        )
    if audit.last_delivery_id != newest_delivery:
        return "files were ingested after the build: run ./segments run"
    return None
