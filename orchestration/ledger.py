"""The raw schema: the delivery ledger, the quarantine and one table per feed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import duckdb

from orchestration.contracts import Feed, Source
from orchestration.delivery import Delivered
from orchestration.typing_rules import quoted

LANDED, DUPLICATE, REFUSED = "landed", "duplicate", "refused"
WITHDRAWN = "withdrawn"

DELIVERIES = """
create table if not exists raw.deliveries (
    delivery_id bigint not null,
    source varchar not null,
    feed varchar not null,
    file_name varchar not null,
    sha256 varchar,
    bytes bigint,
    records_counted bigint,
    rows_landed bigint not null,
    rows_quarantined bigint not null,
    status varchar not null,
    note varchar,
    loaded_at timestamp not null
)
"""
QUARANTINE = """
create table if not exists raw.quarantine (
    delivery_id bigint not null,
    source varchar not null,
    feed varchar not null,
    file_name varchar not null,
    line_number bigint not null,
    column_name varchar,
    reason varchar not null,
    raw_text varchar
)
"""
MARKS = {"_delivery_id": "bigint", "_row_number": "bigint", "_delivered_at": "timestamp"}


class LedgerError(Exception):
    """A table of the raw schema contradicts its contract; the message says how."""


@dataclass(frozen=True)
class Entry:
    """A row of the ledger to be written. Counts are records; None is a count not known."""

    delivery_id: int
    file: Delivered
    sha256: str | None
    size: int | None
    records_counted: int | None
    rows_landed: int
    rows_quarantined: int
    status: str
    note: str | None
    loaded_at: datetime


@dataclass(frozen=True)
class Known:
    """A row of the ledger as far as it decides about the same bytes delivered again."""

    file_name: str
    sha256: str
    size: int
    records_counted: int | None
    status: str
    note: str | None


def create(connection: duckdb.DuckDBPyConnection, contracts: Mapping[str, Source]) -> None:
    """Create what is missing of the raw schema, columns that a contract has gained included.

    Raises:
        LedgerError: a column has another type in the warehouse than in the contract.
    """
    connection.execute("create schema if not exists raw")
    connection.execute(DELIVERIES)
    connection.execute(QUARANTINE)
    types: dict[str, dict[str, str]] = {}
    for table, column, data_type in connection.execute(
        "select table_name, column_name, data_type from information_schema.columns "
        "where table_schema = 'raw'"
    ).fetchall():
        types.setdefault(table, {})[column] = data_type
    for source in contracts.values():
        for feed in source.feeds:
            _create_feed(connection, feed, types.get(feed.identifier))


def _create_feed(
    connection: duckdb.DuckDBPyConnection, feed: Feed, types: Mapping[str, str] | None
) -> None:
    table = f"raw.{quoted(feed.identifier)}"
    columns = [(column.name, column.sql_type) for column in feed.columns]
    if types is None:
        listed = [f"{quoted(name)} {sql_type}" for name, sql_type in columns]
        listed += [f"{quoted(name)} {sql_type} not null" for name, sql_type in MARKS.items()]
        connection.execute(f"create table {table} ({', '.join(listed)})")
        return
    for name, sql_type in columns:
        if name not in types:
            connection.execute(f"alter table {table} add column {quoted(name)} {sql_type}")
        elif types[name].lower().replace(" ", "") != sql_type.replace(" ", ""):
            raise LedgerError(
                f"{table}: the column {name} is {types[name].lower()} in the warehouse and "
                f"{sql_type} in the contract. Give the new type a new column name, or build the "
                f"warehouse anew from its landing folder."
            )


def known(connection: duckdb.DuckDBPyConnection, file: Delivered) -> list[Known]:
    """Return what the ledger says of a feed's earlier deliveries, in their order."""
    found = connection.execute(
        "select file_name, sha256, bytes, records_counted, status, note from raw.deliveries "
        "where source = $source and feed = $feed and sha256 is not null order by delivery_id",
        {"source": file.source, "feed": file.feed},
    )
    return [Known(*row) for row in found.fetchall()]


def delivered_feeds(connection: duckdb.DuckDBPyConnection) -> set[tuple[str, str]]:
    """Return the source and name of every feed of which a file has been landed."""
    found = connection.execute(
        "select distinct source, feed from raw.deliveries where status not in (?, ?)",
        [REFUSED, WITHDRAWN],
    )
    return {(source, feed) for source, feed in found.fetchall()}


def next_id(connection: duckdb.DuckDBPyConnection) -> int:
    """Return the next delivery's number: one writer at a time, so the highest and one."""
    row = connection.execute(
        "select coalesce(max(delivery_id), 0) + 1 from raw.deliveries"
    ).fetchone()
    assert row is not None
    return row[0]


def newest_time(connection: duckdb.DuckDBPyConnection) -> datetime | None:
    """Return the latest time at which anything was delivered, None before the first delivery."""
    row = connection.execute("select max(loaded_at) from raw.deliveries").fetchone()
    assert row is not None
    return row[0]


def write(connection: duckdb.DuckDBPyConnection, entry: Entry) -> None:
    """Add a row to the ledger, within the caller's transaction."""
    connection.execute(
        "insert into raw.deliveries values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            entry.delivery_id,
            *(entry.file.source, entry.file.feed, entry.file.file_name),
            *(entry.sha256, entry.size),
            *(entry.records_counted, entry.rows_landed, entry.rows_quarantined),
            *(entry.status, entry.note, entry.loaded_at),
        ],
    )
