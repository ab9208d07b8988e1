"""The published version that the dashboard shows, and the questions it asks of it.

Every figure is one file of `queries/`, run by DuckDB over the published files; only aggregates and
short lists reach the browser. What a reader chose (day, filters, ids) is bound, never pasted; what
is pasted are the relations below.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb

from orchestration.home import Home
from orchestration.readers import open_files
from orchestration.versions import current_number, read_manifest, versions_folder

QUERIES = Path(__file__).parent / "queries"
FILES = ("marts", "history", "facts")
FILTERS = ("countries", "types", "channels")
# The columns of a customer that a query may count by; names cannot be bound.
DIMENSIONS = (
    *("final_segment", "headline_segment", "rfm_segment", "value_tier", "spend_band"),
    *("frequency_band", "margin_band", "abc_class", "order_value_group"),
    *("value_potential_quadrant", "lifecycle_stage", "activity_status", "interaction_band"),
    *("loyalty_band", "relationship_tier", "service_tier", "cluster_name"),
)

# Customers at the newest as-of have every column, at a month-end those that the history keeps.
NEWEST = "marts.main.customer_segments"
MONTH_ENDS = "history.main.customer_segments_history"
# What customers can be filtered by, and that of each of them; their other columns have names of the
# segments' columns.
ATTRIBUTES = "country, customer_type, channel_preference"
ATTRIBUTED = """(
    select customer_id, coalesce(country, 'unknown') as country, customer_type, channel_preference
    from marts.main.customer_profiles
)"""
SELECTED = f"""customer_id in (
    select customer_id from {ATTRIBUTED}
    where
        ($countries is null or country in (select unnest($countries)))
        and ($types is null or customer_type in (select unnest($types)))
        and ($channels is null or channel_preference in (select unnest($channels)))
)"""
# One row a combination that occurs.
CELLS = f"""create temp table cells as
select {ATTRIBUTES}, row_number() over (order by {ATTRIBUTES})::int as cell
from (select distinct {ATTRIBUTES} from {ATTRIBUTED})"""
# Each row of a day with its cell: a filter then joins row numbers, a third of the time that
# customer ids take. Row numbers of a published file stay as they are.
ROWS = """create temp table {rows} as
select customers.rowid as row_id, cells.cell
from {table} as customers
inner join {attributed} as attributed on customers.customer_id = attributed.customer_id
inner join cells
    on
        attributed.country = cells.country
        and attributed.customer_type is not distinct from cells.customer_type
        and attributed.channel_preference is not distinct from cells.channel_preference
where customers.as_of_date = $day"""
# Placeholders of a query whose answer differs by the filters, and by the day.
BY_FILTERS = ("{population}", "{before}", "{selected}")
BY_DAY = ("$as_of", "$before")

Row = dict[str, Any]


class NothingPublished(Exception):
    """There is no published version yet."""


@dataclass(frozen=True)
class Choice:
    """What a reader looks at: a day of the history, and customers by what they are today.

    `before` is the month-end before `as_of`, None where none is kept. An empty filter is no filter.
    """

    as_of: date
    before: date | None
    countries: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()

    @property
    def is_filtered(self) -> bool:
        """Whether any filter is set."""
        return any(getattr(self, name) for name in FILTERS)


class Warehouse:
    """One published version, opened read-only, without access to anything outside its files."""

    def __init__(self, folder: Path) -> None:
        """Open the version in `folder`.

        Raises:
            VersionDamaged: the manifest cannot be read.
        """
        self.folder = folder
        self.manifest = read_manifest(folder)
        self.number: int = self.manifest["version"]
        self._connection = open_files([folder / f"{name}.duckdb" for name in FILES], threads=2)
        self._lock = threading.Lock()
        # Names of the temporary tables that are there.
        self._ready: set[str] = set()

    @cached_property
    def days(self) -> tuple[date, ...]:
        """The days that can be looked at: the newest as-of, then the month-ends before it."""
        rows = self.ask("days")
        return tuple(row["as_of_date"] for row in rows)

    def choice(self, as_of: date | None = None, **filters: tuple[str, ...]) -> Choice:
        """Return a choice of a day (the newest by default) and filters."""
        day = as_of if as_of in self.days else self.days[0]
        earlier = [each for each in self.days if each < day]
        return Choice(day, earlier[0] if earlier else None, **filters)

    def mattering(self, query: str, choice: Choice | None) -> Choice | None:
        """Return of a choice what the answer of a query depends on."""
        sql = _sql(query)
        if choice is None or any(place in sql for place in BY_FILTERS):
            return choice
        if any(place in sql for place in BY_DAY):
            return Choice(choice.as_of, choice.before)
        return None

    def ask(
        self,
        query: str,
        choice: Choice | None = None,
        column: str | tuple[str, ...] | None = None,
        other: str | None = None,
        cube: bool = False,
        **bound: object,
    ) -> list[Row]:
        """Return the rows that the query of this name gives, as a `cube` for each attribute too.

        `{population}` and `{before}` in the query stand for the customers of the choice at its day
        and at the month-end before, `{column}` and `{other}` for one of `DIMENSIONS`, `{column}` in
        `codes` for several too; parameters are bound by name. `{attributes}` are the columns
        that customers can be filtered by, each with its comma, of `{with_attributes}`; both are
        empty where no cube is asked for.

        Raises:
            KeyError: a column is none of the dimensions.
        """
        sql = _sql(query)
        for place, name in (("{column}", column), ("{other}", other)):
            names = (name,) if isinstance(name, str) else name or ()
            for each in names:
                if each not in DIMENSIONS:
                    raise KeyError(each)
            sql = sql.replace(place, ", ".join(names))
        sql = sql.replace("{attributes}", f"{ATTRIBUTES}," if cube else "")
        joined = f"inner join {ATTRIBUTED} as attributed using (customer_id)" if cube else ""
        sql = sql.replace("{with_attributes}", joined)
        if choice is None or not choice.is_filtered:
            with self._lock:
                cursor = self._connection.cursor()
            return self._answer(cursor, sql, choice, bound)
        # Row numbers by cell are this connection's own: who filters waits for another who does.
        with self._lock:
            return self._answer(self._connection, sql, choice, bound)

    def _answer(
        self,
        connection: duckdb.DuckDBPyConnection,
        sql: str,
        choice: Choice | None,
        bound: dict[str, object],
    ) -> list[Row]:
        offered = dict(bound)
        if choice is not None:
            for place, name, day in (
                ("{population}", "as_of", choice.as_of),
                ("{before}", "before", choice.before),
            ):
                if place in sql:
                    sql = sql.replace(place, self._customers(choice, name, day))
            sql = sql.replace("{selected}", SELECTED if choice.is_filtered else "true")
            offered.update(as_of=choice.as_of, before=choice.before)
            offered.update({name: list(getattr(choice, name)) or None for name in FILTERS})
            if "$cells" in sql:
                offered["cells"] = [row["cell"] for row in self._cells if _is_chosen(row, choice)]
        wanted = {name: value for name, value in offered.items() if f"${name}" in sql}
        return _rows(connection.execute(sql, wanted))

    def _customers(self, choice: Choice, name: str, day: date | None) -> str:
        """Return the customers of a choice at the day bound as `name`, as SQL of fixed pieces."""
        table = NEWEST if day == self.days[0] else MONTH_ENDS
        if day is None or not choice.is_filtered:
            return f"(select * from {table} where as_of_date = ${name})"
        return (
            f"(select customers.* from {table} as customers inner join {self._rows_of(day)} as rows"
            f" on customers.rowid = rows.row_id where customers.as_of_date = ${name}"
            " and rows.cell in (select unnest($cells::int[])))"
        )

    def _rows_of(self, day: date) -> str:
        """Return the temporary table that holds the cell of each row of a day."""
        rows = f"rows_{self.days.index(day)}"
        if rows not in self._ready:
            _ = self._cells
            table = NEWEST if day == self.days[0] else MONTH_ENDS
            self._connection.execute(
                ROWS.format(rows=rows, table=table, attributed=ATTRIBUTED), {"day": day}
            )
            self._ready.add(rows)
        return rows

    @cached_property
    def _cells(self) -> list[Row]:
        self._connection.execute(CELLS)
        return _rows(self._connection.execute("from cells"))


def _sql(query: str) -> str:
    return (QUERIES / f"{query}.sql").read_text(encoding="utf-8")


def _rows(found: duckdb.DuckDBPyConnection) -> list[Row]:
    columns = [each[0] for each in found.description]
    return [dict(zip(columns, row, strict=True)) for row in found.fetchall()]


def _is_chosen(row: Row, choice: Choice) -> bool:
    """Whether the filters of a choice let a row through that has what can be filtered by."""
    wanted = (
        (choice.countries, row["country"]),
        (choice.types, row["customer_type"]),
        (choice.channels, row["channel_preference"]),
    )
    return all(not chosen or value in chosen for chosen, value in wanted)


def added(
    rows: Sequence[Row], choice: Choice, by: Sequence[str], measures: Sequence[str]
) -> list[Row]:
    """Add up measures of a cube over the customers of a filter, by other columns of its rows.

    Each row of a cube has the attributes that customers can be filtered by. A sum of nothing is
    None.
    """
    sums: dict[tuple, Row] = {}
    for row in rows:
        if _is_chosen(row, choice):
            key = tuple(row[name] for name in by)
            own = sums.setdefault(
                key, {**dict(zip(by, key, strict=True)), **dict.fromkeys(measures)}
            )
            for measure in measures:
                if row[measure] is not None:
                    own[measure] = row[measure] + (own[measure] or 0)
    return list(sums.values())


def newest_number(place: Home) -> int:
    """Return the number of the version that readers get now.

    Raises:
        NothingPublished: there is none yet.
    """
    number = current_number(place)
    if number is None:
        raise NothingPublished
    return number


def open_warehouse(place: Home, number: int) -> Warehouse:
    """Open a published version by its number: each version has files of its own paths, so that a
    second one in this process never shows the first one's data."""
    return Warehouse(versions_folder(place) / str(number))
