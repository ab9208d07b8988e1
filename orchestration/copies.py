"""Copies the published tables out of the build file into DuckDB files, and proves the copies."""

import hashlib
import os
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb

from orchestration.audit import literal
from orchestration.home import memory_limit

# The files of a version and the build file's schemas that each one holds.
FILES = {
    "facts.duckdb": ("core",),
    "history.duckdb": ("history",),
    "marts.duckdb": ("customers", "segments", "activation", "trust"),
}
STORAGE_VERSION = "v1.0.0"
# The number that DuckDB writes into the header of a file that 1.0 and 1.1 clients can read.
STORAGE_NUMBER = 64


class CopyDiffers(Exception):
    """A written file is not what the build file holds; the message says where."""


@dataclass(frozen=True)
class Column:
    """One column: its DuckDB type, whether it is NOT NULL, its description."""

    name: str
    type: str
    required: bool
    comment: str | None


@dataclass(frozen=True)
class Table:
    """One table's definition, with columns in their order."""

    schema: str
    name: str
    comment: str | None
    columns: tuple[Column, ...]


@dataclass(frozen=True)
class Content:
    """What a table holds: its number of rows and a checksum over them."""

    rows: int
    checksum: str


def quoted(name: str) -> str:
    """Quote an identifier that came from DuckDB's catalog.

    Raises:
        ValueError: the name is empty or holds a NUL, which no quoting makes safe.
    """
    if not name or "\0" in name:
        raise ValueError(f"{name!r} is no identifier")
    return '"' + name.replace('"', '""') + '"'


def catalog(
    connection: duckdb.DuckDBPyConnection, database: str, schemas: Iterable[str]
) -> list[Table]:
    """Return the tables (and views) of some schemas, without what a killed dbt left behind."""
    rows = connection.execute(
        """
        with relations as (
            select database_name, schema_name, table_name as name, comment from duckdb_tables()
            union all
            select database_name, schema_name, view_name as name, comment from duckdb_views()
        )
        select
            relations.schema_name, relations.name, relations.comment,
            columns.column_name, columns.data_type, not columns.is_nullable, columns.comment
        from relations
        inner join duckdb_columns() as columns
            on relations.database_name = columns.database_name
            and relations.schema_name = columns.schema_name
            and relations.name = columns.table_name
        where relations.database_name = ?
            and list_contains(?, relations.schema_name)
            and not regexp_matches(relations.name, '__dbt_(tmp|backup)')
        order by relations.schema_name, relations.name, columns.column_index
        """,
        [database, list(schemas)],
    ).fetchall()
    columns: dict[tuple[str, str, str | None], list[Column]] = {}
    for schema, name, comment, *column in rows:
        columns.setdefault((schema, name, comment), []).append(Column(*column))
    return [Table(*table, tuple(found)) for table, found in columns.items()]


def row_count(
    connection: duckdb.DuckDBPyConnection, database: str, schema: str, table: Table
) -> int:
    """Count a table's rows."""
    found = connection.execute(
        f"select count(*) from {quoted(database)}.{quoted(schema)}.{quoted(table.name)}"
    ).fetchone()
    assert found is not None
    return found[0]


def content(
    connection: duckdb.DuckDBPyConnection,
    database: str,
    schema: str,
    table: Table,
    condition: str = "true",
) -> Content:
    """Count and sum up a table, or its rows that a condition in SQL holds for.

    The order of the rows and the number of threads do not matter.

    The sum over rows of a 64-bit hash, exact in 128 bits. The row's hash is hashed once more: it
    combines its columns by exclusive or, so that two rows which swap a value could cancel out.
    Checksums compare within one version of DuckDB, whose hash is not promised to stay.
    """
    row = ", ".join(quoted(column.name) for column in table.columns)
    found = connection.execute(
        f"select count(*), coalesce(sum(hash(hash({row}))::hugeint), 0)::varchar "
        f"from {quoted(database)}.{quoted(schema)}.{quoted(table.name)} where {condition}"
    ).fetchone()
    assert found is not None
    return Content(*found)


def write_file(connection: duckdb.DuckDBPyConnection, path: Path, tables: Iterable[Table]) -> None:
    """Write tables of the attached `build` into a new file, all in its schema `main`.

    Rows stand in the order of all columns, the first one first: keys lead in every published
    table, the order is total up to equal rows, and readers skip row groups by it. One
    transaction; afterwards no WAL is left.
    """
    connection.execute(f"attach {literal(path)} as copy (storage_version '{STORAGE_VERSION}')")
    connection.execute("begin")
    for table in tables:
        for statement in copy_statements(table):
            connection.execute(statement)
    connection.execute("commit")
    connection.execute("checkpoint copy")
    connection.execute("detach copy")


def copy_statements(table: Table) -> list[str]:
    """Return the statements that create, fill and describe one table of `copy`."""
    target = f"copy.main.{quoted(table.name)}"
    definitions = ", ".join(
        f"{quoted(column.name)} {column.type}{' not null' if column.required else ''}"
        for column in table.columns
    )
    names = ", ".join(quoted(column.name) for column in table.columns)
    statements = [
        f"create table {target} ({definitions})",
        f"insert into {target} select {names} "
        f"from build.{quoted(table.schema)}.{quoted(table.name)} order by all",
    ]
    if table.comment is not None:
        statements.append(f"comment on table {target} is {literal(table.comment)}")
    statements.extend(
        f"comment on column {target}.{quoted(column.name)} is {literal(column.comment)}"
        for column in table.columns
        if column.comment is not None
    )
    return statements


def sha256_of(path: Path) -> str:
    """Return the sha256 of a file, as 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def verify_file(
    path: Path, expected: Mapping[Table, Content], others: frozenset[str] = frozenset()
) -> None:
    """Reopen a written file read-only and compare it with what the build file holds.

    Args:
        path: the file.
        expected: the build file's tables and their contents.
        others: names of tables that the file holds too, which the caller compares.

    Raises:
        CopyDiffers: definitions, descriptions, rows or checksums differ, a WAL is left, or
            the file needs a newer DuckDB than 1.0.
    """
    if path.with_name(path.name + ".wal").exists():
        raise CopyDiffers(f"{path.name} was left with a WAL")
    if storage_number(path) > STORAGE_NUMBER:
        raise CopyDiffers(f"{path.name} has storage {storage_number(path)}, not {STORAGE_NUMBER}")
    with duckdb.connect(":memory:", config={"memory_limit": memory_limit()}) as connection:
        connection.execute(f"attach {literal(path)} as copy (read_only)")
        found = {table.name: table for table in catalog(connection, "copy", ["main"])}
        if set(found) != {table.name for table in expected} | others:
            raise CopyDiffers(f"{path.name} holds the tables {sorted(found)}")
        for table, held in expected.items():
            copied = found[table.name]
            if (copied.comment, copied.columns) != (table.comment, table.columns):
                raise CopyDiffers(f"{path.name}: {table.name} is defined differently")
            copied_content = content(connection, "copy", "main", copied)
            if copied_content != held:
                raise CopyDiffers(
                    f"{path.name}: {table.name} holds {copied_content}, the build file {held}"
                )


def storage_number(path: Path) -> int:
    """Return the storage number in a DuckDB file's header (64 for 1.0 to 1.1).

    The main header is a checksum of 8 bytes, `DUCK`, and this number in 8 bytes.

    Raises:
        CopyDiffers: this is no DuckDB file.
    """
    with path.open("rb") as file:
        header = file.read(20)
    if len(header) < 20 or header[8:12] != b"DUCK":
        raise CopyDiffers(f"{path} is no DuckDB file")
    return struct.unpack("<Q", header[12:20])[0]


def link_file(source: Path, target: Path) -> bool:
    """Hard-link a file; False where the file system or its protection does not allow it."""
    try:
        os.link(source, target)
    except OSError:
        return False
    return True
