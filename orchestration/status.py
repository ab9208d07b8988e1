"""What is published, from which deliveries, how the last build ended, what the disk holds."""

import os
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
from rich.console import Console
from rich.table import Table

from orchestration import audit, contracts, logs, triggers, versions
from orchestration.audit import Audit, Delivery
from orchestration.freshness import Freshness, freshness
from orchestration.home import Home
from orchestration.settings import setting

# The ledger's states in the order shown; others follow.
DELIVERY_STATES = ("landed", "duplicate", "refused")


@dataclass(frozen=True)
class FeedCount:
    """One feed's deliveries: how many per state, and the rows landed and quarantined."""

    source: str
    feed: str
    states: dict[str, int]
    rows_landed: int
    rows_quarantined: int


@dataclass(frozen=True)
class Status:
    """The state of a home.

    `published` is the current manifest. `feeds`, `pending` and `build` are None where the build
    file could not be read; then `notes` says why. `pending` are the deliveries whose data the
    published version lacks, or still holds though they were withdrawn. `fresh` says when each
    source last delivered, `triggers` what `published/triggers.duckdb` says of itself. `disk` is in
    bytes.
    """

    root: Path
    published: dict[str, Any] | None
    feeds: list[FeedCount] | None
    pending: list[Delivery] | None
    build: Audit | None
    not_publishable: str | None
    versions: list[int]
    disk: dict[str, int]
    notes: list[str] = field(default_factory=list)
    fresh: list[Freshness] = field(default_factory=list)
    triggers: dict[str, Any] | None = None


def status(place: Home) -> Status:
    """Read the state of a home without changing it or waiting for anyone."""
    notes: list[str] = []
    published = None
    try:
        published = versions.current(place)
    except versions.VersionDamaged as error:
        notes.append(f"{error}. Go back: ./segments rollback")
    feeds = pending = build = refusal = None
    fresh: list[Freshness] = []
    try:
        with audit.open_build(place) as connection:
            build = audit.read_audit(connection)
            deliveries = audit.read_deliveries(connection)
            if deliveries:
                fresh = freshness(connection, contracts.load(), datetime.now(UTC))
        newest = max((delivery.delivery_id for delivery in deliveries), default=None)
        refusal = audit.why_not_publishable(build, newest)
        feeds = count_feeds(deliveries)
        pending = not_published(deliveries, published)
    except FileNotFoundError:
        notes.append("Nothing has been built yet: run ./segments run")
    except audit.BuildBusy as error:
        notes.append(f"{error}; shown is only what is published.")
    except duckdb.Error as error:
        notes.append(f"The build file cannot be read; shown is only what is published. {error}")
    return Status(
        root=place.root,
        published=published,
        feeds=feeds,
        pending=pending,
        build=build,
        not_publishable=refusal,
        versions=versions.version_numbers(place),
        disk=disk_used(place),
        notes=notes,
        fresh=fresh,
        triggers=triggers.read_about(place),
    )


def count_feeds(deliveries: list[Delivery]) -> list[FeedCount]:
    """Count deliveries and rows per source and feed, in their order."""
    feeds: dict[tuple[str, str], list[Delivery]] = {}
    for delivery in deliveries:
        feeds.setdefault((delivery.source, delivery.feed), []).append(delivery)
    return [
        FeedCount(
            source,
            feed,
            dict(Counter(delivery.status for delivery in found)),
            sum(delivery.rows_landed for delivery in found),
            sum(delivery.rows_quarantined for delivery in found),
        )
        for (source, feed), found in sorted(feeds.items())
    ]


def not_published(deliveries: list[Delivery], published: dict[str, Any] | None) -> list[Delivery]:
    """Return the deliveries that the published version lacks, or holds though withdrawn since.

    By id and state, not by the greatest id: after a rollback, and after a withdrawal, the
    difference lies among the old ones. Duplicates and refused files have no rows to publish.
    """
    known = {entry["id"]: entry["status"] for entry in (published or {}).get("deliveries", [])}
    return [
        delivery
        for delivery in deliveries
        if (delivery.status == "landed") != (known.get(delivery.delivery_id) == "landed")
    ]


def disk_used(place: Home) -> dict[str, int]:
    """Return the bytes on disk per folder; files linked from several versions count once."""
    folders = {
        "landing": place.landing,
        "warehouse": place.warehouse,
        "published": place.published,
        "exports": place.exports,
        "logs": place.logs,
    }
    return {name: folder_bytes(folder) for name, folder in folders.items()}


def folder_bytes(folder: Path) -> int:
    """Return the bytes that a folder's files occupy, 0 where there is no such folder."""
    seen: dict[tuple[int, int], int] = {}
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                found = os.lstat(os.path.join(parent, name))
            except FileNotFoundError:
                continue
            seen[found.st_dev, found.st_ino] = found.st_blocks * 512
    return sum(seen.values())


def render_status(status: Status, console: Console) -> None:
    """Print a home's state for a person."""
    console.print(f"[bold]{status.root}[/bold]", highlight=False)
    for note in status.notes:
        console.print(note, style="yellow", markup=False, highlight=False)
    for line in (
        *_published_lines(status),
        *_triggers_lines(status),
        *_build_lines(status),
        *_disk_lines(status),
    ):
        console.print(line, markup=False, highlight=False)
    for one in status.fresh:
        if one.newest is not None:
            console.print(
                f"Fresh: {one}",
                style="yellow" if one.is_late else None,
                markup=False,
                highlight=False,
            )
    if status.published:
        console.print(_tables(status.published))
    if status.feeds:
        console.print(_feeds(status.feeds))


def _published_lines(status: Status) -> list[str]:
    shown = status.published
    if shown is None:
        return ["Published: nothing yet"]
    return [
        f"Published: version {shown['version']} at {shown['published_at']}, "
        f"as of {shown['as_of_date'] or 'no date'}, schema {shown['schema_version']}, "
        f"rules {shown['rule_version']}",
        f"Versions kept: {', '.join(map(str, status.versions))}",
    ]


def _triggers_lines(status: Status) -> list[str]:
    held = status.triggers
    if held is None or status.published is None:
        return []
    line = (
        f"Triggers: {held['customers']:,} customers touched since version {held['base_version']}, "
        f"at {held['published_at']:%Y-%m-%d %H:%M} UTC, in published/{triggers.FILE}"
    )
    if held["base_version"] != status.published["version"]:
        line += f"; out of date, version {status.published['version']} is published"
    return [line]


def _build_lines(status: Status) -> list[str]:
    lines = []
    if status.build is not None and _is_of_triggers(status):
        lines.append(
            f"Last build ({status.build.finished_at:%Y-%m-%d %H:%M} UTC): of the triggers, passed"
        )
    elif status.build is not None:
        outcome = "passed" if status.not_publishable is None else status.not_publishable
        lines.append(f"Last build ({status.build.finished_at:%Y-%m-%d %H:%M} UTC): {outcome}")
    elif status.not_publishable is not None:
        lines.append(f"Last build: {status.not_publishable}")
    if status.pending:
        named = ", ".join(
            f"{delivery.source}/{delivery.feed}/{delivery.file_name}"
            for delivery in status.pending[:10]
        )
        more = f" and {len(status.pending) - 10} more" if len(status.pending) > 10 else ""
        lines.append(f"Deliveries not in the published version: {named}{more}")
    elif status.pending is not None and status.published is not None:
        lines.append("Every delivery is in the published version.")
    return lines


def _is_of_triggers(status: Status) -> bool:
    return (
        status.build is not None
        and status.triggers is not None
        and status.build.invocation_id == status.triggers["invocation_id"]
    )


def _disk_lines(status: Status) -> list[str]:
    used = ", ".join(f"{name} {size / 1e6:,.1f}" for name, size in status.disk.items())
    kept = f"the newest {setting('published_versions_kept')} versions"
    return [f"Disk, MB: {used}", f"Kept: {kept}, logs of {logs.days_kept()} days"]


def _tables(published: dict[str, Any]) -> Table:
    table = Table("file", "table", title="Published tables")
    table.add_column("rows", justify="right")
    facts = published["tables"].items()
    for name, held in sorted(facts, key=lambda item: (item[1]["file"], item[0])):
        table.add_row(held["file"], name, f"{held['rows']:,}")
    return table


def _feeds(feeds: list[FeedCount]) -> Table:
    others = sorted({state for feed in feeds for state in feed.states} - set(DELIVERY_STATES))
    states = (*DELIVERY_STATES, *others)
    table = Table("source", "feed", title="Deliveries")
    for heading in (*states, "rows", "quarantined"):
        table.add_column(heading, justify="right")
    for feed in feeds:
        counts = [str(feed.states.get(state, 0)) for state in states]
        table.add_row(
            feed.source, feed.feed, *counts, f"{feed.rows_landed:,}", f"{feed.rows_quarantined:,}"
        )
    return table
