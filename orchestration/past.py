"""A warehouse as of a past day, in a place of its own, that knows of nothing later."""

from datetime import date
from pathlib import Path

from orchestration import audit, versions
from orchestration.audit import literal
from orchestration.copies import quoted
from orchestration.home import Home, writer_lock


class NotPossible(Exception):
    """There can be no warehouse of that day, or not in that place; the message says why."""


def prepare(place: Home, day: date, out: Path, landing: Path | None) -> Home:
    """Return an empty home for the warehouse of a past day, with what was delivered in it.

    Args:
        place: the home whose deliveries are copied.
        day: the last day that the new warehouse knows of.
        out: its folder, new or empty.
        landing: where delivered files lie, to be taken instead of a copy; None for a copy.

    Raises:
        NotPossible: the folder is in use, the day is later than what is published, or nothing
            was delivered.
        BuildBusy: somebody writes the warehouse now.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise NotPossible(f"{out} is not an empty folder: --out wants a new one")
    past = Home(out.resolve())
    if landing is None:
        newest = (versions.current(place) or {}).get("as_of_date")
        if newest and day.isoformat() > newest:
            raise NotPossible(f"{day} is later than the newest as-of that is published, {newest}")
        if not place.build_file.exists():
            raise NotPossible(
                f"nothing was delivered to {place.root} yet: run ./segments run first, or name a "
                f"folder of deliveries with --landing"
            )
        with writer_lock(past, "copy of the deliveries"):
            _copy_raw(place, past)
    return past


def _copy_raw(place: Home, past: Home) -> None:
    with audit.open_build(place) as source:
        source.execute(f"attach {literal(past.build_file)} as past")
        past.build_file.chmod(0o600)
        source.execute("create schema past.raw")
        tables = source.execute(
            "select table_name from duckdb_tables() "
            "where database_name = 'build' and schema_name = 'raw' order by table_name"
        ).fetchall()
        for (name,) in tables:
            table = quoted(name)
            source.execute(f"create table past.raw.{table} as from build.raw.{table}")
        source.execute("detach past")
