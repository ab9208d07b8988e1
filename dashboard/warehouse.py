"""The published version that the dashboard shows, and the questions it asks of it.

Every figure is one file of `queries/`, run by DuckDB over the published files; only aggregates and
short lists reach the browser. What a reader chose (day, filters, ids) is bound, never pasted; what
is pasted are the two relations below.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

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
NEWEST = "select * from marts.main.customer_segments where as_of_date = {day}"
MONTH_END = "select * from history.main.customer_segments_history where as_of_date = {day}"
SELECTED = """customer_id in (
    select customer_id from marts.main.customer_profiles
    where
        ($countries is null or coalesce(country, 'unknown') in (select unnest($countries)))
        and ($types is null or customer_type in (select unnest($types)))
        and ($channels is null or channel_preference in (select unnest($channels)))
)"""

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

    def relation(self, choice: Choice, day: str) -> str:
        """Return the customers of a choice at the day bound as `day`, as SQL of fixed pieces."""
        newest = day == "$as_of" and choice.as_of == self.days[0]
        chosen = (NEWEST if newest else MONTH_END).format(day=day)
        return f"({chosen} and {SELECTED})" if choice.is_filtered else f"({chosen})"

    def ask(
        self,
        query: str,
        choice: Choice | None = None,
        column: str | tuple[str, ...] | None = None,
        other: str | None = None,
        **bound: object,
    ) -> list[Row]:
        """Return the rows that the query of this name gives.

        `{population}` and `{before}` in the query stand for the customers of the choice at its day
        and at the month-end before, `{column}` and `{other}` for one of `DIMENSIONS`, `{column}` in
        `codes` for several too; parameters are bound by name.

        Raises:
            KeyError: a column is none of the dimensions.
        """
        sql = (QUERIES / f"{query}.sql").read_text(encoding="utf-8")
        for place, name in (("{column}", column), ("{other}", other)):
            names = (name,) if isinstance(name, str) else name or ()
            for each in names:
                if each not in DIMENSIONS:
                    raise KeyError(each)
            sql = sql.replace(place, ", ".join(names))
        if choice is not None:
            sql = sql.replace("{population}", self.relation(choice, "$as_of"))
            sql = sql.replace("{before}", self.relation(choice, "$before"))
            sql = sql.replace("{selected}", SELECTED if choice.is_filtered else "true")
            offered = {
                "as_of": choice.as_of,
                "before": choice.before,
                **{name: list(getattr(choice, name)) or None for name in FILTERS},
                **bound,
            }
        else:
            offered = bound
        wanted = {name: value for name, value in offered.items() if f"${name}" in sql}
        with self._lock:
            cursor = self._connection.cursor()
        found = cursor.execute(sql, wanted)
        columns = [each[0] for each in found.description]
        return [dict(zip(columns, row, strict=True)) for row in found.fetchall()]


def added(rows: Sequence[Row], choice: Choice, by: Sequence[str], measure: str) -> list[Row]:
    """Add up a measure of a cube over the customers of a choice, by other columns of its rows.

    The rows come from a query `*_cube`: each has the columns that customers can be filtered by. Who
    is nobody's customer counts where nothing is filtered.
    """
    wanted = {
        "country": choice.countries,
        "customer_type": choice.types,
        "channel_preference": choice.channels,
    }
    sums: dict[tuple, Any] = {}
    for row in rows:
        if not choice.is_filtered or (
            row["is_known"]
            and all(row[name] in chosen for name, chosen in wanted.items() if chosen)
        ):
            key = tuple(row[name] for name in by)
            sums[key] = sums.get(key, 0) + row[measure]
    return [{**dict(zip(by, key, strict=True)), measure: value} for key, value in sums.items()]


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
