"""What a delivery holds: its columns matched with the contract, its records counted and readable.

CSV and Parquet differ here and nowhere after: both become a `Reading`, a relation in SQL and a rule
per column of the contract.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from orchestration import csv_text
from orchestration.contracts import Feed, Source
from orchestration.delivery import Refusal, Spooled
from orchestration.error_values import without_values
from orchestration.typing_rules import (
    Rule,
    from_text,
    from_typed,
    given_text,
    literal,
    quoted,
)


@dataclass(frozen=True)
class Fault:
    """A record that cannot be taken: its ordinal, its line, its first wrong column, and why."""

    ordinal: int
    line: int
    column: str | None
    reason: str


@dataclass(frozen=True)
class Reading:
    """How the engine reads a private copy.

    `relation` is SQL that reads `$path`; `ordinal` and `line` are SQL over it; `counted` is the
    number of records counted without the engine, `broken` those of them the relation leaves out.
    """

    relation: str
    path: Path
    rules: tuple[Rule, ...]
    ordinal: str
    line: str
    counted: int
    broken: tuple[Fault, ...] = ()


class Contents(Protocol):
    """A delivery whose header keeps to the contract.

    `notes` are about new and missing columns; `plain` is the cheap reading, None where it is known
    not to do.
    """

    notes: tuple[str, ...]
    plain: Reading | None

    def careful(self) -> Reading:
        """Return the reading that finds each record by itself; Refusal if there is none."""

    def texts(self, ordinals: Sequence[int]) -> Iterator[str]:
        """Yield the texts of these records, in the file's order."""


def contents(
    connection: duckdb.DuckDBPyConnection, source: Source, feed: Feed, spooled: Spooled
) -> Contents | None:
    """Look into a private copy; None if there is nothing in it, not even a header.

    Raises:
        Refusal: its form or its header does not keep to the contract.
    """
    if spooled.scan is None:
        return ParquetContents(connection, source, feed, spooled.path) if spooled.size else None
    try:
        names = csv_text.header(spooled.path, source.delimiter, source.quote)
    except csv_text.BrokenQuote as error:
        hint = _delimiter_hint(csv_text.first_line(spooled.path), source)
        raise Refusal(f"{error}{hint}") from None
    return CsvContents(source, feed, spooled.path, spooled.scan, names) if names else None


def bind(
    names: Sequence[str], feed: Feed, hint: str = "", are_names: bool | None = None
) -> tuple[dict[str, str], tuple[str, ...]]:
    """Match a file's columns with the contract's, by name.

    Args:
        hint: what is likely wrong with a header that does not match; nothing is taken on a hint.
        are_names: whether `names` are names for sure; by default where at least half of them are
            the contract's. Else they may be the first record of a file without a header, and are
            not quoted.

    Returns:
        The header in the file of each delivered column, and notes on what is new or not delivered.

    Raises:
        Refusal: a name occurs twice, a required column is missing, or one seems to be renamed.
    """
    expected = {column.header: column for column in feed.columns}
    if are_names is None:
        contract = {name.strip().casefold() for name in (*expected, *feed.ignored_columns)}
        known = sum(name.strip().casefold() in contract for name in names)
        are_names = 2 * known >= len(names)
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        told = _listed(twice) if are_names else "a value (is there a header?)"
        raise Refusal(f"the header names {told} more than once")
    found = {name: expected[name].name for name in names if name in expected}
    missing = [column for header, column in expected.items() if header not in found]
    new = [name for name in names if name not in expected and name not in feed.ignored_columns]
    found_names = _listed(names) if are_names else _unnamed(len(names))
    compared = f"expected {_listed(list(expected))}; found {found_names}"
    hint += _spelling_hints([column.header for column in missing], new)
    required = [column.header for column in missing if column.required]
    if required:
        if are_names and not hint:
            hint = ". Name it so in the file, or give the file's name as `header` in the contract"
        raise Refusal(f"the header lacks the required {_listed(required)}: {compared}{hint}")
    if missing and new:
        headers = [column.header for column in missing]
        unknown = f"the unknown {_listed(new)}" if are_names else "unknown names"
        raise Refusal(
            f"the header lacks {_listed(headers)} and has {unknown}, as if renamed: {compared}. "
            f"If it is new, declare it in the contract or list it in ignored_columns{hint}"
        )
    notes = []
    if new:
        notes.append(f"new columns, not taken: {_listed(new)}")
    if missing:
        notes.append(f"columns not delivered: {_listed([column.header for column in missing])}")
    return {name: header for header, name in found.items()}, tuple(notes)


def _unnamed(count: int) -> str:
    return (
        f"{count} {'value' if count == 1 else 'values'}, fewer than half of them names of the "
        f"contract, so they may be the first record and are not quoted: is there a header?"
    )


def _delimiter_hint(text: str, source: Source) -> str:
    likely = csv_text.likely_delimiter(text, source.delimiter)
    if likely is None:
        return ""
    return f". The delimiter seems to be {likely!r}: declare it in the contract"


def _spelling_hints(missing: Sequence[str], new: Sequence[str]) -> str:
    hints = []
    for header in missing:
        for name in new:
            if name.strip().casefold() == header.strip().casefold():
                case = name.strip() != header.strip()
                blanks = name.casefold() != header.casefold()
                ways = [*["letter case"] * case, *["surrounding blanks"] * blanks]
                pair = f"{_listed([name])} differs from {_listed([header])}"
                hints.append(f". {pair} only in {' and '.join(ways)}")
    return "".join(hints)


def _listed(names: Sequence[str]) -> str:
    shown = [repr(name[:100]) for name in names[:60]]
    return ", ".join(shown) + (f" and {len(names) - 60} more" if len(names) > 60 else "")


class CsvContents:
    """A CSV, read as text in the order of its own columns."""

    def __init__(
        self, source: Source, feed: Feed, path: Path, scan: csv_text.Scan, names: list[str]
    ) -> None:
        """Match the header; see `contents`."""
        hint = _delimiter_hint(names[0], source) if len(names) == 1 else ""
        delivered, self.notes = bind(names, feed, hint)
        places = {name: names.index(header) for name, header in delivered.items()}
        self._source, self._path, self._width = source, path, len(names)
        self._rules = _text_rules(source, feed, places)
        self.plain = None
        if not scan.doubtful:
            self.plain = Reading(
                _csv_relation(source, self._width, csv_text.MAXIMUM_RECORD),
                path,
                self._rules,
                ordinal="row_number() over ()",
                line="0",
                counted=scan.records - 1,
            )

    def careful(self) -> Reading:
        """Split the records in Python; the engine reads those of the right shape."""
        clean = self._path.with_suffix(".clean")
        dialect = self._source.delimiter, self._source.quote
        try:
            parts = csv_text.split(self._path, clean, *dialect)
        except csv_text.BrokenQuote as error:
            raise Refusal(str(error)) from None
        longest = 8 * csv_text.MAXIMUM_RECORD + 1000  # in UTF-8, every quote written twice
        return Reading(
            _csv_relation(self._source, self._width + 2, longest),
            clean,
            self._rules,
            ordinal=f"cast(c{self._width} as bigint)",
            line=f"cast(c{self._width + 1} as bigint)",
            counted=parts.records,
            broken=tuple(Fault(one.ordinal, one.line, None, one.reason) for one in parts.broken),
        )

    def texts(self, ordinals: Sequence[int]) -> Iterator[str]:
        """Yield the texts of these records, in the file's order."""
        wanted = set(ordinals)
        records = csv_text.records(self._path, self._source.delimiter, self._source.quote)
        return (record.text for ordinal, record in enumerate(records) if ordinal in wanted)


def _text_rules(source: Source, feed: Feed, places: Mapping[str, int]) -> tuple[Rule, ...]:
    rules = []
    for column in feed.columns:
        if column.name in places:
            # The engine reads an empty value, quoted or not, as null already.
            given = given_text(column, f"c{places[column.name]}", source.null_values)
            rules.append(from_text(column, given, source.timezone))
        else:
            rules.append(Rule(column))
    return tuple(rules)


def _csv_relation(source: Source, width: int, longest: int) -> str:
    # Nothing is guessed, every column is text, and one bad record stops the statement: the engine's
    # own handling of rejects loses rows (an unbalanced quote takes its neighbours along).
    columns = ", ".join(f"'c{place}': 'varchar'" for place in range(width))
    return (
        f"read_csv($path, auto_detect = false, header = true, columns = {{{columns}}}, "
        f"delim = {literal(source.delimiter)}, quote = {literal(source.quote)}, "
        f"escape = {literal(source.quote)}, new_line = '\\n', comment = '', strict_mode = true, "
        f"null_padding = false, max_line_size = {longest})"
    )


class ParquetContents:
    """A Parquet file; its line numbers are the ordinals of its rows."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, source: Source, feed: Feed, path: Path
    ) -> None:
        """Match the columns and their types; see `contents`."""
        self._path = path
        try:
            with pq.ParquetFile(path) as parquet:
                counted = parquet.metadata.num_rows
                names = parquet.schema_arrow.names
        except (pa.ArrowException, OSError) as error:
            raise Refusal(f"it is not a readable Parquet file ({str(error)[:300]})") from None
        folded = [name.casefold() for name in names]
        twice = [name for name in names if folded.count(name.casefold()) > 1]
        if twice:  # the engine does not tell upper from lower case
            raise Refusal(f"the columns {_listed(twice)} have the same name")
        delivered, self.notes = bind(names, feed, are_names=True)
        relation = "read_parquet($path, file_row_number = true)"
        try:
            described = connection.execute(
                f"describe select * from {relation}", {"path": str(path)}
            ).fetchall()
        except duckdb.Error as error:
            message = without_values(error)[:300]
            raise Refusal(f"the engine cannot read it ({message})") from None
        self.plain = Reading(
            relation,
            path,
            _typed_rules(source, feed, delivered, {row[0]: row[1] for row in described}),
            ordinal="file_row_number + 1",
            line="file_row_number + 1",
            counted=counted,
        )

    def careful(self) -> Reading:
        """Return the same reading: rows of Parquet cannot run into each other."""
        return self.plain

    def texts(self, ordinals: Sequence[int]) -> Iterator[str]:
        """Yield these rows as JSON, in the file's order."""
        wanted = sorted(ordinals)
        start = 1
        with pq.ParquetFile(self._path) as parquet:
            for batch in parquet.iter_batches():
                end = start + batch.num_rows
                here = [ordinal - start for ordinal in wanted if start <= ordinal < end]
                if here:
                    for row in batch.take(pa.array(here)).to_pylist():
                        yield json.dumps(row, default=str, ensure_ascii=False)
                start = end


def _typed_rules(
    source: Source, feed: Feed, delivered: Mapping[str, str], types: Mapping[str, str]
) -> tuple[Rule, ...]:
    rules = []
    for column in feed.columns:
        if column.name not in delivered:
            rules.append(Rule(column))
            continue
        header = delivered[column.name]
        given, type_name = quoted(header), types[header]
        if type_name == "VARCHAR":
            given = given_text(column, given, ("", *source.null_values))
        rule = from_typed(column, type_name, given, source.timezone)
        if rule is None:
            raise Refusal(
                f"the column {header!r} is {type_name.lower()} in the file, "
                f"which does not become {column.data_type}"
            )
        rules.append(rule)
    return tuple(rules)
