"""What changed since the current version, so that a large file is patched and not written again.

An increment names the orders, interactions and month-ends that it replaced. Only their rows differ
from the current version, so its file is copied and only they are exchanged in the copy.
"""

import contextlib
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from orchestration import audit, copies
from orchestration.audit import literal
from orchestration.copies import Column, Content, Table, quoted

# Checksums are sums modulo 2 ** 128, as DuckDB adds up in hugeint.
MODULUS = 2**128

# Exchanged rows leave gaps: a file that has grown by this much is written whole again.
MOST_GROWTH = 1.25


@dataclass(frozen=True)
class Touched:
    """Which rows of a table an increment replaced: those whose `key` is in `relation`."""

    relation: str
    key: str

    @property
    def rows(self) -> str:
        """The condition on a row, in SQL."""
        return f"{self.key} in (select touched_id from build.{self.relation})"


@dataclass(frozen=True)
class Patch:
    """How a table differs from the current version: rows that go, rows that come, and the sum."""

    touched: Touched
    removed: Content
    added: Content
    content: Content


@dataclass(frozen=True)
class Base:
    """The current version, as far as the build goes on from it."""

    folder: Path
    manifest: Mapping[str, Any]
    touched: Mapping[str, Touched]

    def file_of(self, table: Table) -> Path:
        """Return the file that holds a table in the current version."""
        return self.folder / self.manifest["tables"][table.name]["file"]


def base(
    build: duckdb.DuckDBPyConnection, previous: tuple[Path, Mapping[str, Any]] | None
) -> Base | None:
    """Return the current version if the attached `build` is an increment of it, else None."""
    if previous is None or previous[1].get("duckdb_version") != duckdb.__version__:
        return None
    for name in ("increment", "touched_tables"):
        if not audit.has_table(build, "control", name):
            return None
    started = build.execute(
        "select base_version from build.control.increment where not is_full_rebuild"
    ).fetchone()
    if started is None or started[0] != previous[1]["version"]:
        return None
    rows = build.execute(
        "select table_name, touched_schema, touched_name, touched_key "
        "from build.control.touched_tables"
    ).fetchall()
    touched = {
        name: Touched(f"{quoted(schema)}.{quoted(model)}", key) for name, schema, model, key in rows
    }
    return Base(*previous, touched)


def patches(
    build: duckdb.DuckDBPyConnection, tables: Iterable[Table], known: Base | None
) -> dict[Table, Patch]:
    """Return how each table that can be patched differs from the current version.

    A table whose number of rows is not what the patch makes is left out: it is written whole.
    """
    found: dict[Table, Patch] = {}
    if known is None:
        return found
    with _attached(build, known) as aliases:
        for table in tables:
            before = known.manifest["tables"].get(table.name)
            touched = known.touched.get(table.name)
            if before is None or touched is None or not _same_definition(table, before):
                continue
            alias = aliases.get(known.file_of(table))
            if alias is None:
                continue
            removed = copies.content(build, alias, "main", table, touched.rows)
            added = copies.content(build, "build", table.schema, table, touched.rows)
            patched = Content(
                before["rows"] - removed.rows + added.rows,
                str(
                    (int(before["checksum"]) - int(removed.checksum) + int(added.checksum))
                    % MODULUS
                ),
            )
            if copies.row_count(build, "build", table.schema, table) == patched.rows:
                found[table] = Patch(touched, removed, added, patched)
    return found


@contextlib.contextmanager
def _attached(build: duckdb.DuckDBPyConnection, known: Base) -> Iterator[dict[Path, str]]:
    """Attach the current version's files; yield the name of each."""
    aliases: dict[Path, str] = {}
    files = sorted({facts["file"] for facts in known.manifest["tables"].values()})
    for number, name in enumerate(files):
        path = known.folder / name
        # Whole and unchanged, or it is no ground to build on.
        if path.is_file() and copies.sha256_of(path) == known.manifest["files"][name]["sha256"]:
            build.execute(f"attach {literal(path)} as before_{number} (read_only)")
            aliases[path] = f"before_{number}"
    try:
        yield aliases
    finally:
        for alias in aliases.values():
            build.execute(f"detach {alias}")


def _same_definition(table: Table, before: Mapping[str, Any]) -> bool:
    columns = tuple(Column(**column) for column in before["columns"])
    return (before["comment"], columns) == (table.comment, table.columns)


def patch_file(
    build: duckdb.DuckDBPyConnection,
    known: Base,
    path: Path,
    held: Mapping[Table, Content],
    found: Mapping[Table, Patch],
) -> bool:
    """Write a file as a patched copy of the current version's; say whether that could be done.

    Args:
        build: a connection with the private build attached as `build`.
        known: the current version.
        path: the file to write.
        held: every table of the file and what it holds in the build.
        found: the patches; a table of the file without one is exchanged whole.
    """
    before = known.folder / path.name
    described = known.manifest["files"].get(path.name, {})
    tables = known.manifest["tables"]
    same_tables = {name for name, facts in tables.items() if facts["file"] == path.name}
    if (
        not any(table in found for table in held)
        or same_tables != {table.name for table in held}
        or not all(_same_definition(table, tables[table.name]) for table in held)
        or described.get("bytes", 0) > MOST_GROWTH * described.get("whole_bytes", 0)
    ):
        return False
    shutil.copyfile(before, path)
    path.chmod(0o600)
    build.execute(f"attach {literal(path)} as copy")
    build.execute("begin")
    for table, content in held.items():
        patch = found.get(table)
        if patch is None and content.checksum == tables[table.name]["checksum"]:
            continue
        condition = patch.touched.rows if patch else "true"
        names = ", ".join(quoted(column.name) for column in table.columns)
        build.execute(f"delete from copy.main.{quoted(table.name)} where {condition}")
        build.execute(
            f"insert into copy.main.{quoted(table.name)} select {names} "
            f"from build.{quoted(table.schema)}.{quoted(table.name)} where {condition} order by all"
        )
    build.execute("commit")
    build.execute("checkpoint copy")
    build.execute("detach copy")
    return True


def verify_patched(
    build: duckdb.DuckDBPyConnection,
    path: Path,
    held: Mapping[Table, Content],
    found: Mapping[Table, Patch],
) -> None:
    """Reopen a patched file and compare it: exchanged rows by checksum, the others by number.

    What was not exchanged is byte for byte from a file whose sha256 was right.

    Raises:
        CopyDiffers: see `copies.verify_file`.
    """
    whole = {table: content for table, content in held.items() if table not in found}
    copies.verify_file(path, whole, frozenset(table.name for table in found))
    build.execute(f"attach {literal(path)} as copy (read_only)")
    try:
        for table, patch in found.items():
            if table not in held:
                continue
            rows = copies.row_count(build, "copy", "main", table)
            exchanged = copies.content(build, "copy", "main", table, patch.touched.rows)
            if rows != patch.content.rows or exchanged != patch.added:
                raise copies.CopyDiffers(
                    f"{path.name}: {table.name} holds {rows} rows, {exchanged} of them exchanged; "
                    f"expected {patch.content.rows} and {patch.added}"
                )
    finally:
        build.execute("detach copy")
