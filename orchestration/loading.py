"""From a private copy into the raw table: all records of a delivery, each landed or quarantined.

First everything is landed in one statement that stops at the first record it cannot take. Only then
is it looked at record by record: what is wrong with which, and on which line.
"""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import duckdb
import pyarrow as pa

from orchestration.contracts import Feed, Source
from orchestration.delivery import Delivered, Refusal, Spooled
from orchestration.reading import Contents, Fault, Reading, contents
from orchestration.typing_rules import literal, quoted

# What the engine says of a record it cannot take; any other error of its is not the sender's.
UNTAKEABLE = (duckdb.InvalidInputException, duckdb.ConversionException, duckdb.OutOfRangeException)
MAXIMUM_TEXT = 10_000  # characters of a rejected record that are kept
EXAMPLES = 3


@dataclass(frozen=True)
class Arrival:
    """A delivery on its way in: its number, its file and its time (UTC, without a zone)."""

    delivery_id: int
    file: Delivered
    source: Source
    feed: Feed
    arrived: datetime


@dataclass(frozen=True)
class Landed:
    """Records counted, landed and quarantined; `notes` are about its columns and its emptiness."""

    counted: int
    landed: int
    quarantined: int
    notes: tuple[str, ...] = ()


class _CountMismatch(Exception):
    pass


def land(
    connection: duckdb.DuckDBPyConnection,
    arrival: Arrival,
    spooled: Spooled,
    finish: Callable[[Landed], None],
) -> Landed:
    """Land one delivery in one transaction and call `finish` before it is committed.

    Raises:
        Refusal: nothing of it was landed; the message says why.
    """
    found = contents(connection, arrival.source, arrival.feed, spooled)
    if found is None:
        done = Landed(0, 0, 0, ("empty file",))
        with _transaction(connection):
            finish(done)
        return done
    if found.plain:
        with contextlib.suppress(*UNTAKEABLE, _CountMismatch):
            return _land_all(connection, arrival, found.plain, found.notes, finish)
    return _land_checked(connection, arrival, found, finish)


@contextlib.contextmanager
def _transaction(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    connection.begin()
    try:
        yield
    except BaseException:
        connection.rollback()
        raise
    connection.commit()


def _land_all(
    connection: duckdb.DuckDBPyConnection,
    arrival: Arrival,
    reading: Reading,
    notes: tuple[str, ...],
    finish: Callable[[Landed], None],
) -> Landed:
    """Land every record, or raise: UNTAKEABLE for a bad one, _CountMismatch for a lost one."""
    first = [f"{rule.first} as {rule.first_name}" for rule in reading.rules if rule.first]
    typed = [rule.typed_or_error for rule in reading.rules]
    with _transaction(connection):
        landed = connection.execute(
            f"{_insert(arrival.feed)} select {', '.join(typed)}, "
            f"cast($delivery as bigint), _ordinal, cast($arrived as timestamp) "
            f"from (select {', '.join(['*', *first])} from ({_given(reading)}))",
            {"path": str(reading.path), **_marks(arrival)},
        ).fetchone()
        if landed != (reading.counted,):
            raise _CountMismatch
        done = _landed(reading.counted, reading.counted, 0, notes)
        finish(done)
    return done


def _landed(counted: int, landed: int, quarantined: int, notes: tuple[str, ...]) -> Landed:
    return Landed(counted, landed, quarantined, notes if counted else (*notes, "no records"))


def _insert(feed: Feed) -> str:
    names = [column.name for column in feed.columns]
    names += ["_delivery_id", "_row_number", "_delivered_at"]
    return (
        f"insert into raw.{quoted(feed.identifier)} ({', '.join(quoted(name) for name in names)})"
    )


def _marks(arrival: Arrival) -> dict[str, object]:
    return {"delivery": arrival.delivery_id, "arrived": arrival.arrived}


def _given(reading: Reading) -> str:
    given = [f"{rule.given} as {rule.name}" for rule in reading.rules]
    given += [f"{reading.ordinal} as _ordinal", f"{reading.line} as _line"]
    return f"select {', '.join(given)} from {reading.relation}"


def _land_checked(
    connection: duckdb.DuckDBPyConnection,
    arrival: Arrival,
    found: Contents,
    finish: Callable[[Landed], None],
) -> Landed:
    """Land the good records and quarantine the others, or refuse the file."""
    reading = found.careful()
    with _transaction(connection):
        try:
            _check_records(connection, reading)
        except UNTAKEABLE:  # whose message would carry values of the file
            raise Refusal(
                f"{reading.counted} records were counted, and the engine cannot read those of the "
                f"right shape. Nothing was landed"
            ) from None
        mistyped = connection.execute(
            "select _ordinal, _line, _column, _reason from temp._checked where _reason is not null"
        ).fetchall()
        faults = sorted(
            (*reading.broken, *(Fault(*row) for row in mistyped)), key=lambda one: one.ordinal
        )
        _check_share(arrival.source, reading.counted, faults)
        typed = [f"v{place}" for place in range(len(reading.rules))]
        row = connection.execute(
            f"{_insert(arrival.feed)} select {', '.join(typed)}, cast($delivery as bigint), "
            f"_ordinal, cast($arrived as timestamp) from temp._checked where _reason is null "
            f"order by _ordinal",
            _marks(arrival),
        ).fetchone()
        rows = row[0] if row else 0
        if rows + len(faults) != reading.counted:
            raise Refusal(
                f"the counts do not add up: {reading.counted} records counted, {rows} read whole "
                f"and {len(faults)} set aside. Nothing was landed"
            )
        _quarantine(connection, arrival, faults, found)
        connection.execute("drop table temp._checked")
        done = _landed(reading.counted, rows, len(faults), found.notes)
        finish(done)
    return done


def _check_records(connection: duckdb.DuckDBPyConnection, reading: Reading) -> None:
    given = [f"{rule.name} as g{place}" for place, rule in enumerate(reading.rules)]
    typed = [f"{rule.typed} as v{place}" for place, rule in enumerate(reading.rules)]
    problems = [
        (literal(rule.column.name), problem)
        for place, rule in enumerate(reading.rules)
        if (problem := rule.problem(f"g{place}", f"v{place}"))
    ]
    first = " ".join(f"when ({problem}) is not null then {name}" for name, problem in problems)
    reasons = ", ".join(problem for _, problem in problems)
    column = f"case {first} end" if problems else "cast(null as varchar)"
    reason = f"nullif(concat_ws('; ', {reasons}), '')" if problems else "cast(null as varchar)"
    connection.execute(
        f"create temp table _checked as "
        f"select *, {column} as _column, {reason} as _reason from ("
        f"select {', '.join(given + typed)}, _ordinal, _line from ({_given(reading)}))",
        {"path": str(reading.path)},
    )


def _check_share(source: Source, counted: int, faults: Sequence[Fault]) -> None:
    allowed = max(source.maximum_quarantined_share * counted, source.minimum_quarantined_rows)
    if len(faults) > allowed:
        examples = "; ".join(f"line {one.line}: {one.reason}" for one in faults[:EXAMPLES])
        raise Refusal(
            f"{len(faults)} of {counted} records cannot be taken, more than "
            f"{source.maximum_quarantined_share:.2%} and more than "
            f"{source.minimum_quarantined_rows}. The first: {examples}"
        )


def _quarantine(
    connection: duckdb.DuckDBPyConnection,
    arrival: Arrival,
    faults: Sequence[Fault],
    found: Contents,
) -> None:
    texts = [_storable(text) for text in found.texts([one.ordinal for one in faults])]
    rejected = pa.table(
        {
            "line_number": pa.array([one.line for one in faults], pa.int64()),
            "column_name": pa.array([one.column for one in faults], pa.string()),
            "reason": pa.array([one.reason for one in faults], pa.string()),
            "raw_text": pa.array(texts, pa.string()),
        }
    )
    connection.register("_rejected", rejected)
    try:
        connection.execute(
            "insert into raw.quarantine by name select cast($delivery as bigint) as delivery_id, "
            "$source as source, $feed as feed, $file_name as file_name, * from _rejected",
            {
                "delivery": arrival.delivery_id,
                "source": arrival.file.source,
                "feed": arrival.file.feed,
                "file_name": arrival.file.file_name,
            },
        )
    finally:
        connection.unregister("_rejected")


def _storable(text: str) -> str:
    return text[:MAXIMUM_TEXT].replace("\0", "\\x00")
