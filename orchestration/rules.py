"""Changed rules: what a rule file asks for, and the rows of the seeds that come of it.

A rule file is a CSV that a business person can edit in a spreadsheet, one line per changed figure.
Nothing here writes or calls anybody: files in, rows out.
"""

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import yaml

from orchestration.home import PROJECT

Row = dict[str, str]

SEEDS = PROJECT / "seeds"
COLUMNS = ("seed", "rule_id", "column", "value", "valid_from", "reason")

# A rule is named by the first column of its seed, which is its rule_id where it has one; else by:
KEYS = {"clv_backtests": ("months_back", "horizon_days")}
PERIOD = ("valid_from", "valid_to")
# What a rule is about, and what is said of it: another of these is another rule, not a change.
SETTLED = {
    *("dimension", "code", "measure", "meaning", "clause"),
    *("unit", "minimum", "maximum"),
    *PERIOD,
}
# They decide what a fact is and have one row for all time (a singular test holds that).
FACT_SETTINGS = {
    *("base_currency", "business_timezone", "minimum_date"),
    *("max_days_ahead", "largest_line_amount"),
}
# A setting in one of these units may have decimals; all others are whole numbers.
FRACTIONAL_UNITS = {
    *("share", "probability", "base currency", "basis of the CLV"),
    *("own median gaps", "median gaps"),
}
# A blank bound is open, a blank code is any; other numbers must be given.
OPEN_ENDS = ("_bound", "_from", "_below")

# As Excel writes a day where the computer is set to Chinese; other orders could be misread.
DAY = re.compile(r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})", re.ASCII)
NUMBER = re.compile(r"-?\d{1,12}(\.\d{1,6})?", re.ASCII)
WHOLE = re.compile(r"-?\d{1,9}", re.ASCII)


class RulesError(Exception):
    """A rule file cannot be read or applied; the message says where and what to do."""


@dataclass(frozen=True)
class Seed:
    """One seed: its rows in their order, every value as text, and dbt's type of each column."""

    name: str
    header: tuple[str, ...]
    rows: tuple[Row, ...]
    types: Mapping[str, str]

    @property
    def is_dated(self) -> bool:
        """Whether its rows have a validity, so that they can change."""
        return set(PERIOD) <= set(self.header)

    @property
    def key(self) -> tuple[str, ...]:
        """The columns that name a rule."""
        return KEYS.get(self.name, self.header[:1])

    def rule_id(self, row: Row) -> str:
        """Return the name of a row's rule."""
        return "/".join(row[column] for column in self.key)

    def type_of(self, column: str) -> str:
        """Return dbt's type of a column in lower case, text where none is given."""
        return self.types.get(column, "string").lower()


@dataclass(frozen=True)
class Change:
    """One line of a rule file: a column of a rule gets a value, blank for none or open."""

    seed: str
    rule_id: str
    column: str
    value: str
    reason: str = ""


@dataclass(frozen=True)
class RuleFile:
    """What a rule file asks for, all of it from one day on."""

    valid_from: date
    changes: tuple[Change, ...]

    @property
    def seeds(self) -> list[str]:
        """The names of the seeds that it changes."""
        return sorted({change.seed for change in self.changes})

    def of(self, seed: str) -> list[Change]:
        """Return the changes of one seed."""
        return [change for change in self.changes if change.seed == seed]


def read_seeds(folder: Path = SEEDS) -> dict[str, Seed]:
    """Return all seeds of a project by name."""
    described = yaml.safe_load((folder / "_seeds.yml").read_text(encoding="utf-8"))["seeds"]
    types = {each["name"]: each.get("config", {}).get("column_types", {}) for each in described}
    seeds = {}
    for path in sorted(folder.glob("*.csv")):
        with path.open(newline="", encoding="utf-8") as stream:
            reader = csv.DictReader(stream)
            rows = tuple(reader)
            header = tuple(reader.fieldnames or ())
        seeds[path.stem] = Seed(path.stem, header, rows, types.get(path.stem, {}))
    return seeds


def rows_on(seed: Seed, day: date) -> list[Row]:
    """Return the rows of a dated seed that hold on a day."""
    on = day.isoformat()
    return [row for row in seed.rows if row["valid_from"] <= on <= (row["valid_to"] or on)]


def read_rule_file(path: Path, seeds: Mapping[str, Seed]) -> RuleFile:
    """Read a rule file and check each line against the seeds.

    Args:
        path: the file: UTF-8, commas or semicolons, with or without a byte order mark.
        seeds: all seeds, as they are now.

    Raises:
        RulesError: naming the file, the line and what to do.
    """
    changes: dict[tuple[str, str, str], tuple[int, Change]] = {}
    days: dict[date, int] = {}
    for number, line in _lines(path):
        try:
            day = _day(line["valid_from"])
            days.setdefault(day, number)
            if len(days) > 1:
                first = next(iter(days))
                raise RulesError(
                    f"valid_from is {day}, but {first} in line {days[first]}. One file holds the "
                    f"changes of one day: make two files, and adopt one after the other"
                )
            change = _checked(line, seeds)
        except RulesError as error:
            raise RulesError(f"{path}, line {number}: {error}.") from None
        key = change.seed, change.rule_id, change.column
        if key in changes:
            raise RulesError(
                f"{path}, line {number}: {change.rule_id} {change.column} is already in line "
                f"{changes[key][0]}. Keep one of them."
            )
        changes[key] = number, change
    if not changes:
        raise RulesError(f"{path} has no line below its header, so it changes nothing.")
    return RuleFile(next(iter(days)), tuple(change for _, change in changes.values()))


def rule_file_text(valid_from: date, changes: Iterable[Change]) -> str:
    """Return changes as the text of a rule file; a mark at its start tells Excel it is UTF-8."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(COLUMNS)
    for change in changes:
        named = change.seed, change.rule_id, change.column, change.value
        writer.writerow((*named, valid_from.isoformat(), change.reason))
    return "\ufeff" + stream.getvalue()


def dated(seed: Seed, changes: Sequence[Change], valid_from: date) -> list[Row]:
    """Return the rows of a seed after changes from a day on: the old rows closed, new ones added.

    A row that begins on this very day is replaced, so that to change the same twice is to change
    it once. A change to what holds already adds nothing.

    Raises:
        RulesError: a rule has changed after that day, or has ended.
    """
    rows = list(seed.rows)
    for rule_id, values in _by_rule(changes).items():
        places = [place for place, row in enumerate(rows) if seed.rule_id(row) == rule_id]
        place = max(places, key=lambda place: rows[place]["valid_from"])
        last = rows[place]
        if last["valid_to"]:
            raise RulesError(f"{seed.name} {rule_id} ended on {last['valid_to']}.")
        if valid_from.isoformat() < last["valid_from"]:
            raise RulesError(
                f"{seed.name} {rule_id} has changed on {last['valid_from']}, so a change from "
                f"{valid_from} on would come before it. Take {last['valid_from']} or a later day "
                f"as valid_from."
            )
        new = {**last, **values}
        if new == last:
            continue
        if last["valid_from"] == valid_from.isoformat():
            rows[place] = new
            continue
        day_before = (valid_from - timedelta(days=1)).isoformat()
        rows[place] = {**last, "valid_to": day_before}
        rows.insert(place + 1, {**new, "valid_from": valid_from.isoformat()})
    return rows


def timeless(seed: Seed, changes: Sequence[Change], day: date) -> list[Row]:
    """Return the rows of a seed that hold on a day, with changes, as if they held for all time.

    Raises:
        RulesError: a changed rule does not hold on that day.
    """
    values = _by_rule(changes)
    always = min(row["valid_from"] for row in seed.rows)
    holding = rows_on(seed, day)
    for rule_id in values.keys() - {seed.rule_id(row) for row in holding}:
        raise RulesError(f"{seed.name} {rule_id} does not hold on {day}, the newest as-of.")
    return [
        {**row, **values.get(seed.rule_id(row), {}), "valid_from": always, "valid_to": ""}
        for row in holding
    ]


def seed_text(text: str, header: Sequence[str], rows: Iterable[Row]) -> str:
    """Return the text of a seed's file with other rows; lines of unchanged rows stay as they are.

    Args:
        text: of the file as it is, one line a row.
        header: its columns.
        rows: the rows that it is to hold.
    """
    lines = text.splitlines(keepends=True)
    written = {tuple(next(csv.reader([line]))): line for line in lines}
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    stream.write(lines[0])
    for row in rows:
        values = tuple(row[column] for column in header)
        if values in written:
            stream.write(written[values])
        else:
            writer.writerow(values)
    return stream.getvalue()


def _by_rule(changes: Iterable[Change]) -> dict[str, Row]:
    found: dict[str, Row] = {}
    for change in changes:
        found.setdefault(change.rule_id, {})[change.column] = change.value
    return found


def _lines(path: Path) -> list[tuple[int, Row]]:
    """Return the lines below the header with their numbers, without those that are all blank."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise RulesError(f"{path} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise RulesError(f"{path} is not UTF-8: in Excel, save it as `CSV UTF-8`.") from None
    first = text.split("\n", 1)[0]
    # Excel parts columns by what the computer's settings say.
    delimiter = ";" if ";" in first and "," not in first else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    found = []
    try:
        header = tuple(cell.strip().lower() for cell in next(reader, []))
        if header != COLUMNS:
            raise RulesError(
                f"{path}, line 1: the columns are {', '.join(header) or 'none'}; a rule file has "
                f"{', '.join(COLUMNS)}. ./segments calibrate writes one to start from."
            )
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) != len(COLUMNS):
                raise RulesError(
                    f"{path}, line {reader.line_num}: {len(cells)} columns instead of "
                    f"{len(COLUMNS)}. A text with a comma needs quotes."
                )
            values = [cell.strip() for cell in cells]
            found.append((reader.line_num, dict(zip(COLUMNS, values, strict=True))))
    except csv.Error as error:
        raise RulesError(f"{path}, line {reader.line_num}: no CSV ({error}).") from None
    return found


def _day(text: str) -> date:
    found = DAY.fullmatch(text)
    try:
        day = date(*map(int, found.groups())) if found else None
    except ValueError:
        day = None
    if day is None or not date(1900, 1, 1) <= day <= date(9000, 1, 1):
        raise RulesError(f"valid_from {text or 'is blank'}: write a day as YYYY-MM-DD")
    return day


def _checked(line: Row, seeds: Mapping[str, Seed]) -> Change:
    """Return the change that a line asks for, if there can be such a change."""
    name, rule_id, column, value = (line[key] for key in COLUMNS[:4])
    seed = seeds.get(name)
    changeable = ", ".join(each.name for each in seeds.values() if each.is_dated)
    if seed is None:
        raise RulesError(f"there is no seed {name or '(blank)'}: take one of {changeable}")
    if not seed.is_dated:
        raise RulesError(
            f"the rows of {name} have no validity, so they cannot change from a day on; those of "
            f"{changeable} can"
        )
    rules = {seed.rule_id(row): row for row in seed.rows}
    if rule_id not in rules:
        raise RulesError(
            f"{name} has no rule {rule_id or '(blank)'}{_like(rule_id, rules)}. New rules are "
            f"added in seeds/{name}.csv itself"
        )
    if name == "settings" and rule_id in FACT_SETTINGS:
        raise RulesError(
            f"{rule_id} decides what a fact is and holds for all time: facts accepted under one "
            f"value would not fit those under another. Whoever sets up a warehouse writes it into "
            f"seeds/settings.csv before the first run"
        )
    columns = [each for each in seed.header if each not in SETTLED and each not in seed.key]
    if column not in columns:
        raise RulesError(
            f"{column or '(blank)'} is no column of {name} that can change: take one of "
            f"{', '.join(columns)}"
        )
    _check_value(seed, rules[rule_id], column, value, seeds)
    return Change(name, rule_id, column, value, line["reason"])


def _check_value(seed: Seed, row: Row, column: str, value: str, seeds: Mapping[str, Seed]) -> None:
    told = f"{column} {value or '(blank)'} of {seed.rule_id(row)}"
    if seed.name == "settings":
        _check_setting(row, value, told)
        return
    kind = seed.type_of(column)
    if kind == "string":
        codes = [each["code"] for each in seeds["labels"].rows if each["dimension"] == column]
        if value and codes and value not in codes:
            raise RulesError(f"{told}: no such code, take one of {', '.join(codes)}, or blank")
    elif not value:
        if not column.endswith(OPEN_ENDS):
            raise RulesError(f"{told}: it may not be blank")
    elif kind == "int" and not WHOLE.fullmatch(value):
        raise RulesError(f"{told}: write a whole number")
    elif kind.startswith("decimal") and not NUMBER.fullmatch(value):
        raise RulesError(f"{told}: write a number like 1250 or 0.25, without other signs")
    elif kind == "boolean" and value not in ("true", "false"):
        raise RulesError(f"{told}: write true or false")


def _check_setting(row: Row, value: str, told: str) -> None:
    if not value:
        if "blank means" not in row["meaning"]:
            raise RulesError(f"{told}: it may not be blank")
    elif not row["minimum"] and not row["maximum"]:
        words = row["unit"].split(" or ")
        if value not in words:
            raise RulesError(f"{told}: take one of {', '.join(words)}")
    else:
        is_whole = row["unit"] not in FRACTIONAL_UNITS
        if not (WHOLE if is_whole else NUMBER).fullmatch(value):
            raise RulesError(f"{told}: write a {'whole ' if is_whole else ''}number")
        if not Decimal(row["minimum"]) <= Decimal(value) <= Decimal(row["maximum"]):
            raise RulesError(
                f"{told}: it must lie between {row['minimum']} and {row['maximum']} {row['unit']}"
            )


def _like(rule_id: str, rules: Iterable[str]) -> str:
    """Return the rules with the same beginning, for whoever mistyped one."""
    start = rule_id.split(".")[0]
    same = [each for each in rules if start and each.startswith(start)]
    return f"; there are {', '.join(same)}" if same else ""
