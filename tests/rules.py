"""The rules of the seeds: the rows that hold on a day, the tests named for them, their fixtures.

Unit tests take the rules from `tests/fixtures/<seed>_on_<date>.csv`. The header of such a file says
which columns the tests need; its rows are the seed's, and `python -m tests.rules` writes them anew
after a rule changed, or into a new file that has nothing but its header.
"""

import csv
import io
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

from orchestration.home import PROJECT

FIXTURES = PROJECT / "tests" / "fixtures"
# The settings that decide what a fact is hold for all time, so that any day serves.
FACT_SETTINGS = "fact_settings"
FACT_DAY = date(2024, 6, 30)
# How int_bands__by_as_of writes an open end; rules that are read from their seed leave it blank.
ENDS = {"lower_bound": "-999999999999", "upper_bound": "999999999999"}

Row = dict[str, str]


def seed(name: str) -> list[Row]:
    """Return the rows of a seed."""
    return _read((PROJECT / "seeds" / f"{name}.csv").read_text(encoding="utf-8"))


def rules_on(name: str, day: date) -> list[Row]:
    """Return the rows of a seed that hold on a day."""
    text = day.isoformat()
    return [
        row
        for row in seed(name)
        if row.get("valid_from", "") <= text <= (row.get("valid_to") or "9999-12-31")
    ]


def named_tests() -> dict[str, list[str]]:
    """Return the tests that prove each clause of the documents."""
    return {row["clause"]: names(row["test"]) for row in seed("requirement_coverage")}


def names(text: str) -> list[str]:
    """Return the names in a cell of `requirement_coverage`, parted by `;`."""
    return [name for name in text.split(";") if name]


def key_of(row: Row) -> str:
    """Return the name of a rule: its rule_id, else what its first column says."""
    return row.get("rule_id") or next(row[name] for name in row if name != "as_of_date")


def fixtures() -> list[Path]:
    """Return the fixtures that hold rules."""
    dated = FIXTURES.glob("*_on_[0-9][0-9][0-9][0-9]_[0-9][0-9]_[0-9][0-9].csv")
    return sorted([*dated, FIXTURES / f"{FACT_SETTINGS}.csv"])


def seed_and_day(fixture: Path) -> tuple[str, date]:
    """Return of which seed a fixture holds the rows, and of which day."""
    if fixture.stem == FACT_SETTINGS:
        return "settings", FACT_DAY
    name, day = fixture.stem.split("_on_")
    return name, date.fromisoformat(day.replace("_", "-"))


def as_the_seed_says(fixture: Path) -> str:
    """Return what a fixture of rules should hold; columns that the seed knows not stay."""
    text = fixture.read_text(encoding="utf-8")
    header = next(csv.reader(io.StringIO(text)))
    name, day = seed_and_day(fixture)
    rules = rules_on(name, day)
    if name == "settings":
        values = {row["setting"]: row["value"] for row in rules} | {"as_of_date": day.isoformat()}
        old = _read(text) or [{}]
        rows = [{column: _setting(column, values, old[0], day) for column in header}]
    else:
        old = {key_of(row): row for row in _read(text)}
        rows = [
            {"as_of_date": day.isoformat(), **old.get(key_of(rule), {}), **_closed(rule)}
            for rule in rules
        ]
    stream = io.StringIO()
    writer = csv.DictWriter(stream, header, restval="", extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue()


def differences(fixture: Path) -> Iterator[str]:
    """Yield each rule in which a fixture and its seed differ, and how."""
    is_wide = seed_and_day(fixture)[0] == "settings"
    held, right = (
        {"settings" if is_wide else key_of(row): row for row in _read(text)}
        for text in (fixture.read_text(encoding="utf-8"), as_the_seed_says(fixture))
    )
    for key in [*right, *(key for key in held if key not in right)]:
        if key not in held or key not in right:
            yield f"{fixture.name}: {key} is only in the {'seed' if key in right else 'fixture'}"
            continue
        for column, value in right[key].items():
            if held[key][column] != value:
                yield (
                    f"{fixture.name}: {key}, {column} is {held[key][column] or 'blank'}, "
                    f"in the seed {value or 'blank'}"
                )


def _closed(rule: Row) -> Row:
    return {column: value or ENDS.get(column, "") for column, value in rule.items()}


def _setting(column: str, values: Row, old: Row, day: date) -> str:
    """Return a setting, or the day before a window of so many days, or what stood there."""
    if column in values:
        return values[column]
    # look_back_after opens a window of look_back_days, after_12m one of days_12m.
    days = f"days_{column[6:]}" if column.startswith("after_") else f"{column[:-6]}_days"
    if "after" in column and values.get(days):
        return (day - timedelta(days=int(values[days]))).isoformat()
    return old.get(column, "")


def _read(text: str) -> list[Row]:
    return list(csv.DictReader(io.StringIO(text)))


if __name__ == "__main__":
    for path in fixtures():
        new = as_the_seed_says(path)
        if new != path.read_text(encoding="utf-8"):
            path.write_text(new, encoding="utf-8")
            print(f"wrote {path.relative_to(PROJECT)}")
