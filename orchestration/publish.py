"""Publishes the audited build: a new version of the files that readers open.

Write, audit, publish: the build file is private, its audit must say that this very state passed,
and only then readers are switched. A publish that fails or is killed at any step leaves them on
what they had.
"""

import contextlib
import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from orchestration import audit, control, copies, patches
from orchestration.copies import Content, Table
from orchestration.dbt import code_version, rule_version
from orchestration.home import Home, writer_lock
from orchestration.settings import setting
from orchestration.versions import (
    DRAFT,
    MANIFEST,
    Published,
    VersionDamaged,
    VersionMissing,
    clear_drafts,
    current,
    current_number,
    next_number,
    prune,
    published_as,
    rollback,
    sha256_of,
    switch,
    sync,
    versions_folder,
)

__all__ = [
    "SCHEMA_VERSION",
    "NotPublishable",
    "Published",
    "VersionDamaged",
    "VersionMissing",
    "current",
    "publish",
    "rollback",
    "rule_version",
]

# Semantic version of the published tables; CHANGELOG says what BI must change.
SCHEMA_VERSION = "0.5.0"

Progress = Callable[[str], None]


class NotPublishable(Exception):
    """This state of the build must not reach readers; the message says why and what to do."""


def publish(
    place: Home,
    keep: int | None = None,
    progress: Progress | None = None,
    wait_seconds: float = 60.0,
) -> Published:
    """Publish the build file as a new version and switch readers to it.

    Takes the writer's lock itself: a caller that holds it would wait for itself.

    Args:
        place: the home.
        keep: how many of the newest versions stay, at least 1, by default the setting
            published_versions_kept; the current one and the one
            before it stay in any case.
        progress: told each step in a few words before it begins.
        wait_seconds: how long to wait for another writer.

    Returns:
        The new version.

    Raises:
        NotPublishable: the build of this very state did not pass, or holds nothing to publish.
        CopyDiffers: a written file is not what the build file holds.
        WriterBusy: another process writes the warehouse.
        ValueError: `keep` is below 1.
    """
    keep = int(setting("published_versions_kept")) if keep is None else keep
    if keep < 1:
        raise ValueError(f"keep must be at least 1, not {keep}")
    tell = progress or (lambda step: None)
    with writer_lock(place, "publish", wait_seconds):
        folder = versions_folder(place)
        folder.mkdir(exist_ok=True)
        folder.chmod(0o750)
        clear_drafts(place)
        number = next_number(place)
        draft = folder / f"{number}{DRAFT}"
        with _draft(draft):
            manifest, unchanged = _write_version(place, draft, number, tell)
            tell("sync")
            for path in draft.iterdir():
                sync(path)
            sync(draft)
            tell(f"name it version {number}")
            draft.replace(folder / str(number))
        sync(folder)
        served_before = current_number(place)
        tell("switch readers")
        switch(place, number)
        tell("prune old versions")
        prune(place, served_before, keep)
        # Somebody may be looking into the build file; the next run then starts from further back.
        with contextlib.suppress(duckdb.Error):
            control.record_publication(place, manifest)
        tell("done")
        return published_as(folder / str(number), manifest, unchanged)


@contextlib.contextmanager
def _draft(draft: Path) -> Iterator[None]:
    """Make the draft's folder, closed to others; give its space back where publishing fails."""
    draft.mkdir(mode=0o700)
    try:
        yield
    except Exception:
        shutil.rmtree(draft, ignore_errors=True)
        raise


def _write_version(
    place: Home, draft: Path, number: int, tell: Progress
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Fill the draft's folder and return its manifest and the files that are hard links."""
    spill = draft.with_name(f"spill{DRAFT}")
    with _publishable_build(place, spill, tell) as (build, facts):
        tell("sum up the tables")
        tables = _published_tables(build, facts["audit"])
        previous = _previous(place)
        base = patches.base(build, previous)
        found = patches.patches(build, tables, base)
        contents = {
            table: found[table].content
            if table in found
            else copies.content(build, "build", table.schema, table)
            for table in tables
        }
        unchanged = []
        whole_bytes: dict[str, int] = {}
        for file, schemas in copies.FILES.items():
            held = {table: contents[table] for table in tables if table.schema in schemas}
            if not held:
                continue
            tell(f"write {file}")
            if _linked(previous, file, held, draft):
                unchanged.append(file)
            elif base and patches.patch_file(build, base, draft / file, held, found):
                tell(f"verify {file}")
                here = {table: patch for table, patch in found.items() if table in held}
                patches.verify_patched(build, draft / file, held, here)
            else:
                copies.write_file(build, draft / file, held)
                tell(f"verify {file}")
                copies.verify_file(draft / file, held)
                whole_bytes[file] = (draft / file).stat().st_size
    tell("write the manifest")
    # DuckDB removes its spill folder only where it made files in it.
    shutil.rmtree(spill, ignore_errors=True)
    manifest = {
        "version": number,
        "published_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "as_of_date": facts["as_of_date"],
        "schema_version": SCHEMA_VERSION,
        "code_version": code_version(),
        "rule_version": rule_version(),
        "duckdb_version": duckdb.__version__,
        "invocation_id": facts["audit"].invocation_id,
        "last_delivery_id": facts["audit"].last_delivery_id,
        "deliveries": facts["deliveries"],
        "history": facts["history"],
        "tables": {
            table.name: {"file": _file_of(table), **_described(table, held)}
            for table, held in contents.items()
        },
        "files": {},
    }
    for path in sorted(draft.iterdir()):
        path.chmod(0o440)
        before = previous[1]["files"].get(path.name, {}) if previous else {}
        manifest["files"][path.name] = {
            "sha256": sha256_of(path),
            "bytes": path.stat().st_size,
            # When it was last written whole: a file patched often enough is.
            "whole_bytes": whole_bytes.get(path.name) or before.get("whole_bytes", 0),
        }
    (draft / MANIFEST).write_text(
        json.dumps(manifest, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    (draft / MANIFEST).chmod(0o440)
    draft.chmod(0o750)
    return manifest, tuple(unchanged)


@contextlib.contextmanager
def _publishable_build(
    place: Home, spill: Path, tell: Progress
) -> Iterator[tuple[duckdb.DuckDBPyConnection, dict[str, Any]]]:
    """Open the build file and read what its ledger says, after proving that it passed."""
    tell("check the audit")
    with contextlib.ExitStack() as stack:
        try:
            build = stack.enter_context(audit.open_build(place, spill))
        except (FileNotFoundError, audit.BuildBusy) as error:
            raise NotPublishable(f"{error}: run ./segments run") from error
        found = audit.read_audit(build)
        deliveries = audit.read_deliveries(build)
        newest = max((delivery.delivery_id for delivery in deliveries), default=None)
        refusal = audit.why_not_publishable(found, newest) or control.why_outdated(build)
        if refusal is not None:
            raise NotPublishable(refusal)
        as_of = audit.newest_as_of(build)
        yield (
            build,
            {
                "audit": found,
                "as_of_date": None if as_of is None else as_of.isoformat(),
                "history": control.described_history(build),
                "deliveries": [
                    {"id": delivery.delivery_id}
                    | {name: getattr(delivery, name) for name in audit.DELIVERY_FACTS}
                    for delivery in deliveries
                ],
            },
        )


def _published_tables(build: duckdb.DuckDBPyConnection, found: audit.Audit) -> list[Table]:
    """Return the tables to publish: those of the published schemas that the project still builds.

    Raises:
        NotPublishable: there is none, or two would get the same name.
    """
    schemas = [schema for held in copies.FILES.values() for schema in held]
    tables = [
        table
        for table in copies.catalog(build, "build", schemas)
        # A model that was renamed leaves its table in the build file, out of date from then on.
        if found.relations is None or f"{table.schema}.{table.name}" in found.relations
    ]
    if not tables:
        raise NotPublishable(f"the build holds no table in the schemas {', '.join(schemas)}")
    # To DuckDB, names that differ only by case are the same.
    names = [table.name.lower() for table in tables]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise NotPublishable(f"two published tables have the name {', '.join(twice)}")
    return tables


def _file_of(table: Table) -> str:
    return next(file for file, schemas in copies.FILES.items() if table.schema in schemas)


def _described(table: Table, held: Content) -> dict[str, Any]:
    """Return a table as the manifest has it; two equal ones make equal files."""
    return {
        **asdict(held),
        "comment": table.comment,
        "columns": [asdict(column) for column in table.columns],
    }


def _previous(place: Home) -> tuple[Path, dict[str, Any]] | None:
    """Return the current version's folder and manifest; None where there is none to link from."""
    number = current_number(place)
    folder = versions_folder(place) / str(number)
    try:
        manifest = current(place)
    except VersionDamaged:
        # The new version mends it: everything is written anew.
        return None
    return None if manifest is None else (folder, manifest)


def _linked(
    previous: tuple[Path, dict[str, Any]] | None,
    file: str,
    held: dict[Table, Content],
    draft: Path,
) -> bool:
    """Hard-link a file from the current version where it holds the same; say whether it did."""
    if previous is None:
        return False
    folder, manifest = previous
    before = {
        name: {key: value for key, value in facts.items() if key != "file"}
        for name, facts in manifest["tables"].items()
        if facts["file"] == file
    }
    return (
        manifest.get("duckdb_version") == duckdb.__version__
        and before == {table.name: _described(table, content) for table, content in held.items()}
        and (folder / file).is_file()
        # A file that has rotted since is written anew, not handed on.
        and sha256_of(folder / file) == manifest["files"][file]["sha256"]
        and copies.link_file(folder / file, draft / file)
    )
