"""Where the next build starts from: what is published, compared with what the build file holds.

A run starts from the published version, never from the last build: a build that failed has skipped
what lies behind its failing test, and a watermark that it had moved would never catch up.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from orchestration import audit, dbt, versions
from orchestration.audit import Delivery, literal
from orchestration.copies import quoted
from orchestration.home import Home
from orchestration.ledger import WITHDRAWN
from orchestration.rule_days import rule_versions

TABLES = ("increment", "kept_month_ends", "kept_history", "rule_versions")
HISTORY = "customer_segments_history"
HISTORY_TABLES = (
    HISTORY,
    "restatements",
    "rfm_cuts",
    "lifecycle_transitions",
    "segment_migrations",
)

# What a restatement is judged by; where the history lacks one of them, as after an upgrade, nothing
# is compared.
KEPT_COLUMNS = {
    "as_of_date": "date",
    "customer_id": "varchar",
    "headline_segment": "varchar",
    "model_segment": "varchar",
    "final_segment": "varchar",
    "rfm_code": "varchar",
    "value_tier": "varchar",
    "abc_class": "varchar",
    "order_value_group": "varchar",
    "activity_status": "varchar",
    "interaction_band": "varchar",
    "cycle_band": "varchar",
    "loyalty_band": "varchar",
    "relationship_tier": "varchar",
    "lifecycle_stage": "varchar",
    "cluster_name": "varchar",
    "net_revenue_12m": "decimal(18, 2)",
}

INCREMENT = """
create or replace table control.increment (
    base_version bigint,
    since_delivery_id bigint not null,
    is_full_rebuild boolean not null,
    reason varchar,
    code_version varchar not null,
    rule_version varchar not null,
    last_day date,
    history_from date,
    restate_from date
)
"""
KEPT_MONTH_ENDS = """
create or replace table control.kept_month_ends (
    as_of_date date not null,
    is_marked boolean not null
)
"""
RULE_VERSIONS = """
create or replace table control.rule_versions (
    valid_from date not null,
    rule_version varchar not null
)
"""
PUBLICATION = """
create table if not exists control.publication (
    version bigint not null,
    invocation_id varchar not null,
    last_delivery_id bigint not null
)
"""

# What has written tables since the current version, the builds that made it included: of which
# models and seeds. Kinds are told apart because dbt cannot compute what ingestion computes.
BUILDS = """
create table if not exists control.builds (
    kind varchar not null,
    fingerprint varchar not null,
    invocation_id varchar
)
"""


@dataclass(frozen=True)
class Request:
    """What a run is asked for.

    `restate_from` computes the month-ends from this day on anew. `last_day` makes a warehouse that
    knows of nothing later.
    """

    restate_from: date | None = None
    last_day: date | None = None


@dataclass(frozen=True)
class Publication:
    """What the build file held when it was last published."""

    version: int
    invocation_id: str
    last_delivery_id: int


@dataclass(frozen=True)
class Start:
    """Where a build starts from: after which delivery, or from nothing and why."""

    since_delivery_id: int
    rebuild_reason: str | None

    @property
    def is_full_rebuild(self) -> bool:
        """Whether everything is built anew."""
        return self.rebuild_reason is not None


def begin(place: Home, request: Request | None = None) -> Start:
    """Write the control tables for the next build. Call it under the writer's lock.

    Raises:
        duckdb.Error: the build file cannot be written.
    """
    asked = request or Request()
    published = _published(place)
    with duckdb.connect(str(place.build_file)) as build:
        build.execute("set TimeZone = 'UTC'")
        build.execute("create schema if not exists control")
        build.execute(PUBLICATION)
        publication = _publication(build)
        code, rules = dbt.code_version(), dbt.rule_version()
        start = where_to_start(published, publication, audit.read_deliveries(build), code, rules)
        build.begin()
        last_day = asked.last_day or _last_day(build)
        build.execute(BUILDS)
        build.execute("insert into control.builds values ('run', ?, null)", [f"{code} {rules}"])
        if not start.is_full_rebuild and _is_mixed(build):
            start = Start(0, "other models or rules were tried out since the published version")
        history = (published or {}).get("history", {})
        if not start.is_full_rebuild and history.get("last_day") != (
            last_day.isoformat() if last_day else None
        ):
            start = Start(0, "it is to know of other days than the published version")
        kept = _settle_history(place, build, published)
        earliest = [day for day in (_day(history.get("from")), asked.restate_from) if day]
        build.execute(INCREMENT)
        build.execute(
            "insert into control.increment values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (published or {}).get("version"),
                *(start.since_delivery_id, start.is_full_rebuild, start.rebuild_reason),
                *(code, rules),
                *(last_day, min(earliest, default=None), asked.restate_from),
            ],
        )
        build.execute(KEPT_MONTH_ENDS)
        marked = {_day(day) for day in history.get("marked", [])}
        for day in kept:
            build.execute("insert into control.kept_month_ends values (?, ?)", [day, day in marked])
        build.execute(RULE_VERSIONS)
        for day, version in rule_versions():
            build.execute("insert into control.rule_versions values (?, ?)", [day, version])
        _show_kept_history(build)
        build.commit()
    return start


def where_to_start(
    published: Mapping[str, Any] | None,
    publication: Publication | None,
    ledger: Iterable[Delivery],
    code_version: str,
    rule_version: str,
) -> Start:
    """Return where a build may start from.

    Args:
        published: the manifest of the current version, None where there is none.
        publication: what the build file held when it was last published.
        ledger: the deliveries in the build file.
        code_version: of the models now.
        rule_version: of the seeds now.
    """
    if published is None or publication is None:
        return Start(0, "nothing is published from this build file yet")
    if published.get("code_version") != code_version:
        return Start(0, "the models changed")
    if published.get("rule_version") != rule_version:
        return Start(0, "the rules changed")
    last = published["last_delivery_id"] or 0
    then = {entry["id"]: (entry["sha256"], entry["status"]) for entry in published["deliveries"]}
    now = {one.delivery_id: (one.sha256, one.status) for one in ledger}
    if then != {key: value for key, value in now.items() if key <= last}:
        return Start(0, "deliveries were withdrawn, or this is not the build file of that version")
    if any(status == WITHDRAWN for key, (_, status) in now.items() if key > last):
        # A build that failed since may hold what it brought.
        return Start(0, "deliveries were withdrawn")
    return Start(min(last, publication.last_delivery_id), None)


def why_outdated(build: duckdb.DuckDBPyConnection) -> str | None:
    """Return why what the attached `build` holds is not what the project says now, None if it is.

    A model or rule edited after ingestion leaves incremental tables that mix the old and the new.
    """
    if not audit.has_table(build, "control", "increment"):
        return None
    found = build.execute(
        "select code_version, rule_version from build.control.increment"
    ).fetchone()
    if found == (dbt.code_version(), dbt.rule_version()):
        return None
    return "models or rules changed after the build began: run ./segments run"


def is_as_published(build: duckdb.DuckDBPyConnection, published: Mapping[str, Any] | None) -> bool:
    """Say whether no build has begun since the current version was published from this file.

    Args:
        build: the build file, attached as `build` or opened itself.
        published: the manifest of the current version, None where there is none.
    """
    if not published or not audit.has_table(build, "control", "publication"):
        return False
    publication = _publication(build)
    if publication is None or publication.version != published["version"]:
        return False
    if not audit.has_table(build, "control", "build_audit"):
        return False
    last = build.execute("select invocation_id from build.control.build_audit").fetchone()
    return last == (publication.invocation_id,)


def record_publication(place: Home, manifest: Mapping[str, Any]) -> None:
    """Note in the build file what was published from it. Call it under the writer's lock.

    Raises:
        duckdb.IOException: somebody has the build file open. Nothing is lost: the next run then
            starts from an earlier state, which is slower and no less right.
    """
    with duckdb.connect(str(place.build_file)) as build:
        build.execute("create schema if not exists control")
        build.begin()
        build.execute(PUBLICATION)
        build.execute(BUILDS)
        build.execute(
            "delete from control.builds where invocation_id is distinct from ?",
            [manifest["invocation_id"]],
        )
        build.execute(
            "insert into control.builds values ('run', ?, ?)",
            [
                f"{manifest['code_version']} {manifest['rule_version']}",
                manifest["invocation_id"],
            ],
        )
        build.execute("delete from control.publication")
        build.execute(
            "insert into control.publication values (?, ?, ?)",
            [
                *(manifest["version"], manifest["invocation_id"]),
                manifest["last_delivery_id"] or 0,
            ],
        )
        build.commit()


def described_history(build: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    """Return what a manifest says of the history of the attached `build`: marks, and from when."""
    if not audit.has_table(build, "intermediate", "int_month_ends"):
        return {}
    marked = build.execute(
        "select as_of_date from build.intermediate.int_month_ends "
        "where is_kept and is_late order by as_of_date"
    ).fetchall()
    asked = build.execute("select history_from, last_day from build.control.increment").fetchone()
    history_from, last_day = asked or (None, None)
    return {
        # A backfill that reaches no further back than the history does by itself pins nothing.
        "from": history_from.isoformat() if history_from and _reaches_back(build) else None,
        "last_day": last_day.isoformat() if last_day else None,
        "marked": [day.isoformat() for (day,) in marked],
    }


def _reaches_back(build: duckdb.DuckDBPyConnection) -> bool:
    """Say whether the history of the attached `build` holds more months than it does by itself."""
    found = build.execute(
        "select count(*) > max(cast(settings.value as int)) "
        "from build.intermediate.int_month_ends cross join build.intermediate.int_newest_as_of "
        "inner join build.seeds.settings on settings.setting = 'history_months' "
        "and newest_as_of_date >= valid_from "
        "and (valid_to is null or newest_as_of_date <= valid_to)"
    ).fetchone()
    return bool(found and found[0])


def _published(place: Home) -> dict[str, Any] | None:
    try:
        return versions.current(place)
    except versions.VersionDamaged:
        # The next version mends it: everything is built anew.
        return None


def _publication(build: duckdb.DuckDBPyConnection) -> Publication | None:
    found = build.execute("select * from build.control.publication").fetchone()
    return None if found is None else Publication(*found)


def _is_mixed(build: duckdb.DuckDBPyConnection) -> bool:
    """Say whether builds since the published version were of different models or rules.

    An edit that failed, or was only tried out by hand, and was then taken back leaves rows of its
    own in incremental tables, though the project is again what was published.
    """
    found = build.execute(
        "select count(*) from (select kind from control.builds group by kind "
        "having count(distinct fingerprint) > 1)"
    ).fetchone()
    return bool(found and found[0])


def _last_day(build: duckdb.DuckDBPyConnection) -> date | None:
    """Return the day that this warehouse was made for: one of a past day stays one."""
    if not audit.has_table(build, "control", "increment"):
        return None
    found = build.execute("select last_day from control.increment").fetchone()
    return found[0] if found else None


def _settle_history(
    place: Home,
    build: duckdb.DuckDBPyConnection,
    published: Mapping[str, Any] | None,
) -> list[date]:
    """Make the history of the build file that of the published version; return its month-ends."""
    if not is_as_published(build, published):
        # Built since and not published, or rolled back, or another build file.
        for name in HISTORY_TABLES:
            if audit.has_table(build, "history", name):
                build.execute(f"delete from history.{name}")
        if published:
            file = versions.versions_folder(place) / str(published["version"]) / "history.duckdb"
            if file.is_file():
                _restore(build, file, published["tables"])
    if not audit.has_table(build, "history", HISTORY):
        return []
    rows = build.execute(f"select distinct as_of_date from history.{HISTORY} order by 1").fetchall()
    return [day for (day,) in rows]


def _restore(build: duckdb.DuckDBPyConnection, file: Path, tables: Mapping[str, Any]) -> None:
    build.execute(f"attach {literal(file)} as published_history (read_only)")
    build.execute("create schema if not exists history")
    for name in HISTORY_TABLES:
        if name not in tables:
            continue
        columns = tables[name]["columns"]
        definitions = ", ".join(
            f"{quoted(column['name'])} {column['type']}{' not null' if column['required'] else ''}"
            for column in columns
        )
        # As it was published, whatever the build had made of it since.
        build.execute(f"create or replace table history.{name} ({definitions})")
        build.execute(f"insert into history.{name} by name from published_history.main.{name}")


def _show_kept_history(build: duckdb.DuckDBPyConnection) -> None:
    """Make the history as it is now readable for the build that replaces parts of it."""
    present = set()
    if audit.has_table(build, "history", HISTORY):
        present = {row[0] for row in build.execute(f"describe history.{HISTORY}").fetchall()}
    if present >= set(KEPT_COLUMNS):
        query = f"select {', '.join(KEPT_COLUMNS)} from history.{HISTORY}"
    else:
        nothing = (f"cast(null as {kind}) as {name}" for name, kind in KEPT_COLUMNS.items())
        query = f"select {', '.join(nothing)} where false"
    build.execute(f"create or replace view control.kept_history as {query}")


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
