"""Source contracts: what each delivering system promised, read from its dbt sources file.

A contract is the `_<source>__sources.yml` of a folder in `models/staging/`, in plain YAML. A source
with `config.meta.contract` is delivered as files; one without (the ledger) is not, and is left out.
"""

import re
import zoneinfo
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import yaml

from orchestration.home import PROJECT

ENCODINGS = ("utf-8", "utf-16", "gb18030", "cp1252")
PLAIN_TYPES = {
    "string": "varchar",
    "timestamp": "timestamp",
    "date": "date",
    "bigint": "bigint",
    "int": "integer",
    "boolean": "boolean",
    "double": "double",
}
PERIODS = {"minute": "minutes", "hour": "hours", "day": "days"}
DECIMAL = re.compile(r"decimal\((\d{1,2}),\s*(\d{1,2})\)")
IDENTIFIER = re.compile(r"[a-z][a-z0-9_]*")


class ContractError(Exception):
    """A contract that cannot be used; the message names the file, the place and the remedy."""


@dataclass(frozen=True)
class Column:
    """One column of a feed.

    `header` is its name in the delivered file. The formats and the decimal separator are the
    column's own or those of the source; formats are tried in this order, and none means ISO 8601.
    """

    name: str
    data_type: str
    header: str
    required: bool = False
    date_formats: tuple[str, ...] = ()
    timestamp_formats: tuple[str, ...] = ()
    decimal_separator: str = "."

    @property
    def decimal(self) -> tuple[int, int] | None:
        """Precision and scale of a decimal, else None."""
        found = DECIMAL.fullmatch(self.data_type)
        return (int(found[1]), int(found[2])) if found else None

    @property
    def sql_type(self) -> str:
        """The column's type in the raw table."""
        decimal = self.decimal
        return "decimal({}, {})".format(*decimal) if decimal else PLAIN_TYPES[self.data_type]


@dataclass(frozen=True)
class Feed:
    """One feed of a source; `identifier` is its raw table."""

    name: str
    identifier: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()
    required: bool = False
    ignored_columns: tuple[str, ...] = ()


@dataclass(frozen=True)
class Source:
    """One delivering system: its dialect, zone and tolerance, and its feeds.

    `late_after` is dbt's own freshness (`warn_after`) of the source; None where it is never late.
    """

    name: str
    feeds: tuple[Feed, ...]
    encoding: str = "utf-8"
    delimiter: str = ","
    quote: str = '"'
    timezone: str = "UTC"
    null_values: tuple[str, ...] = ()
    maximum_quarantined_share: float = 0.0
    minimum_quarantined_rows: int = 0
    late_after: timedelta | None = None

    def feed(self, name: str) -> Feed:
        """Return the feed of this name; KeyError if there is none."""
        return {feed.name: feed for feed in self.feeds}[name]


def load(models: Path | None = None) -> dict[str, Source]:
    """Read every contract below a models folder, by source name in alphabetical order.

    Args:
        models: the dbt `models` folder; that of the project by default.

    Raises:
        ContractError: naming the file, the place in it and what is allowed there.
    """
    folder = (models or PROJECT / "models") / "staging"
    found: dict[str, Source] = {}
    for path in sorted(folder.glob("*/_*__sources.yml")):
        for source in _sources(path):
            if source.name in found:
                raise ContractError(f"{path}: the source {source.name} is declared twice.")
            found[source.name] = source
    tables = [feed.identifier for source in found.values() for feed in source.feeds]
    for table in tables:
        if tables.count(table) > 1:
            raise ContractError(f"{folder}: the raw table {table} belongs to two feeds.")
    return dict(sorted(found.items()))


def _sources(path: Path) -> Iterator[Source]:
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ContractError(f"{path}: this is not YAML in utf-8: {error}") from error
    for entry in document.get("sources") or []:
        contract = _meta(entry).get("contract")
        if contract is not None:
            where = f"{path}, source {entry.get('name')}"
            try:
                yield _source(entry, contract, where)
            except (AttributeError, KeyError, TypeError, ValueError) as error:
                raise ContractError(f"{where}: cannot be read: {error!r}") from error


def _meta(entry: Mapping[str, Any]) -> dict[str, Any]:
    return (entry.get("config") or {}).get("meta") or {}


def _source(entry: Mapping[str, Any], contract: Mapping[str, Any], where: str) -> Source:
    encoding = str(contract.get("encoding", "utf-8")).lower()
    if encoding not in ENCODINGS:
        raise ContractError(
            f"{where}: unknown encoding {encoding!r}. Known are {', '.join(ENCODINGS)}."
        )
    delimiter, quote = str(contract.get("delimiter", ",")), str(contract.get("quote", '"'))
    for what, mark in (("delimiter", delimiter), ("quote", quote)):
        if len(mark) != 1 or not mark.isascii() or mark in "\r\n\0":
            raise ContractError(f"{where}: the {what} must be one ASCII character, not {mark!r}.")
    if delimiter == quote:
        raise ContractError(f"{where}: delimiter and quote are the same character.")
    timezone = str(contract.get("timezone", "UTC"))
    if timezone not in zoneinfo.available_timezones():
        raise ContractError(
            f"{where}: unknown timezone {timezone!r}; use a name like Europe/London."
        )
    share = float(contract.get("maximum_quarantined_share", 0.0))
    if not 0 <= share <= 1:
        raise ContractError(f"{where}: maximum_quarantined_share must lie in 0 to 1, not {share}.")
    feeds = tuple(_feed(entry, contract, table, where) for table in entry.get("tables") or [])
    return Source(
        name=_identifier(entry["name"], where),
        feeds=feeds,
        encoding=encoding,
        delimiter=delimiter,
        quote=quote,
        timezone=timezone,
        null_values=_texts(contract.get("null_values"), f"{where}, null_values"),
        maximum_quarantined_share=share,
        minimum_quarantined_rows=int(contract.get("minimum_quarantined_rows", 0)),
        late_after=_late_after(entry, where),
    )


def _late_after(entry: Mapping[str, Any], where: str) -> timedelta | None:
    limit = ((entry.get("config") or {}).get("freshness") or {}).get("warn_after")
    if not limit:
        return None
    period = str(limit.get("period"))
    if period not in PERIODS or not isinstance(limit.get("count"), int) or limit["count"] < 1:
        raise ContractError(
            f"{where}: freshness.warn_after wants a whole count and a period, one of "
            f"{', '.join(PERIODS)}."
        )
    return timedelta(**{PERIODS[period]: limit["count"]})


def _feed(
    source: Mapping[str, Any], contract: Mapping[str, Any], table: Mapping[str, Any], where: str
) -> Feed:
    where = f"{where}, feed {table.get('name')}"
    name = _identifier(table["name"], where)
    meta = _meta(table)
    columns = tuple(_column(contract, column, where) for column in table.get("columns") or [])
    if not columns:
        raise ContractError(f"{where}: it has no columns.")
    for what in ("name", "header"):
        names = [getattr(column, what) for column in columns]
        twice = sorted({one for one in names if names.count(one) > 1})
        if twice:
            raise ContractError(f"{where}: two columns have the {what} {', '.join(twice)}.")
    key = _texts(meta.get("key"), f"{where}, key")
    unknown = [one for one in key if one not in {column.name for column in columns}]
    if unknown:
        raise ContractError(f"{where}: the key names {', '.join(unknown)}, which is no column.")
    return Feed(
        name=name,
        identifier=_identifier(table.get("identifier") or f"{source['name']}__{name}", where),
        columns=columns,
        key=key,
        required=_flag(meta.get("required", False), f"{where}, required"),
        ignored_columns=_texts(meta.get("ignored_columns"), f"{where}, ignored_columns"),
    )


def _column(contract: Mapping[str, Any], column: Mapping[str, Any], where: str) -> Column:
    where = f"{where}, column {column.get('name')}"
    meta = _meta(column)
    data_type = str(column.get("data_type", "")).lower()
    decimal = DECIMAL.fullmatch(data_type)
    if not decimal and data_type not in PLAIN_TYPES:
        raise ContractError(
            f"{where}: unknown data_type {data_type!r}. "
            f"Known are {', '.join(PLAIN_TYPES)}, decimal(precision,scale)."
        )
    if decimal and not (1 <= int(decimal[1]) <= 38 and int(decimal[2]) <= int(decimal[1])):
        raise ContractError(f"{where}: {data_type} is impossible; the precision goes up to 38.")
    settings = {**contract, **meta}
    separator = str(settings.get("decimal_separator", "."))
    if separator not in (".", ","):
        raise ContractError(
            f"{where}: the decimal_separator is a point or a comma, not {separator!r}."
        )
    formats = {
        what: _texts(settings.get(what), f"{where}, {what}")
        for what in ("date_formats", "timestamp_formats")
    }
    for pattern in (one for patterns in formats.values() for one in patterns):
        _check_format(pattern, where)
    name = str(column.get("name", ""))
    return Column(
        name=_identifier(name, where),
        data_type=data_type,
        header=str(meta.get("header", name)),
        required=_flag(meta.get("required", False), f"{where}, required"),
        decimal_separator=separator,
        date_formats=formats["date_formats"],
        timestamp_formats=formats["timestamp_formats"],
    )


def _check_format(pattern: str, where: str) -> None:
    try:
        with duckdb.connect() as connection:
            connection.execute("select try_strptime('', ?)", [pattern])
    except duckdb.Error as error:
        raise ContractError(f"{where}: {pattern!r} is no strptime format: {error}") from error


def _identifier(name: object, where: str) -> str:
    # Identifiers are the only outside words that become SQL.
    if not isinstance(name, str) or not IDENTIFIER.fullmatch(name) or name.startswith("_"):
        raise ContractError(
            f"{where}: {name!r} is no name; use lower-case letters, digits and underscores."
        )
    return name


def _texts(value: object, where: str) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise ContractError(f"{where}: expected a list of texts (put numbers in quotes).")
    return tuple(value)


def _flag(value: object, where: str) -> bool:
    if not isinstance(value, bool):
        raise ContractError(f"{where}: expected true or false, not {value!r}.")
    return value
