"""Each rule of the seeds moved by one step, and the unit tests that must then no longer pass.

dbt leaves the SQL of a unit test, with its given rows in it, under `target/run`. Here the rows that
carry rules are read from a table instead, changed there and put back, so that a mutant costs one
query in memory. Of every row of every seed with rules are changed

- each bound by one step of its measure, up and down; a cut between two bands in both of them, since
  a gap or an overlap is what `assert_bands_cover_every_value_once` refuses;
- its points, up and down; its code (where the model does not read the code: the row is taken away);
- each other condition: it asks for a code that nobody has, and it asks for none;
- its priority: it is tried last, and first, where a rule with another code could hold as well;

and each setting that a unit test is given, by one step of its unit, up and down. The tests that
must notice are those that `requirement_coverage` names for the clause of the rule (of its priority:
also for those of the rules that it could come before); for a rule without a clause any may.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb

from tests.rules import FACT_DAY, Row, fixtures, rules_on, seed_and_day

# Measures counted in wholes: one day, order or point is the step that a rule would be moved by. Of
# all others, money, shares and averages, it is a hundredth.
WHOLE = re.compile(
    "_days$|_years$|_count$|_per_month$|^days_|points|^orders|^comebacks$|^frequency$|^nps_answer$"
    "|^weight$"
)
# Where models only gather the rules of seeds.
FOLDERS = ("models/intermediate/settings/", "models/staging/rules/")
# Columns that name a rule, explain it or say when it holds, and decide nothing.
NAMES = {"rule_id", "dimension", "measure", "meaning", "clause", "valid_from", "valid_to"}

# Mutants that no test can notice, as `survivors` names them, each with the reason.
_STAGE = "lifecycle_stages lifecycle_stage."
_NO_ORDER = (
    "Before it comes only who has no order, and without one nothing that it asks for is known"
)
EQUIVALENT = {
    f"{_STAGE}churned_by_rhythm: order_days_from 2 -1": "One order day has no gap to churn by",
    f"{_STAGE}new: order_days_from 1 -1": "Who has no order day has no days since one either",
    f"{_STAGE}churned_long_ago: tried first": _NO_ORDER,
    f"{_STAGE}churned_by_rhythm: tried first": _NO_ORDER,
    f"{_STAGE}new: tried first": _NO_ORDER,
    f"{_STAGE}reactivated: tried first": "Who came back within 90 days has not churned, nor is new",
}


@dataclass(frozen=True)
class Update:
    """A change of a table of rules, `{table}` in the SQL, if that has the columns."""

    columns: frozenset[str]
    sql: str


@dataclass(frozen=True)
class Mutant:
    """A changed rule. It counts as noticed as soon as one of its variants is."""

    seed: str
    name: str
    clauses: frozenset[str]
    variants: tuple[tuple[Update, ...], ...]


@dataclass(frozen=True)
class UnitTest:
    """A dbt unit test that reads rules from tables: by seed, their names and columns."""

    name: str
    sql: str
    tables: Mapping[str, list[tuple[str, frozenset[str]]]]


class Bench:
    """The unit tests that are given rules, and the mutants of the rules, on one connection.

    Args:
        build: the build file, which knows the types of seeds and models.
        target: dbt's target folder after its unit tests ran.
        manifest: dbt's manifest.
    """

    def __init__(self, build: Path, target: Path, manifest: Mapping[str, Any]):
        self.manifest = manifest
        self.connection = duckdb.connect(":memory:", config={"threads": 1})
        self.connection.execute(f"attach '{build}' as build (read_only)")
        self.tests = list(self._unit_tests(target))
        self.mutants = [*self._rows_changed(), *self._settings_changed()]

    def failing(self) -> list[str]:
        """Return the unit tests that do not pass with the rules as they are."""
        return [test.name for test in self.tests if not self._passes(test)]

    def survivors(
        self, named_tests: Mapping[str, Iterable[str]], mutants: Iterable[Mutant] | None = None
    ) -> list[str]:
        """Return the mutants that none of the tests named for their clauses notices."""
        found = []
        for mutant in self.mutants if mutants is None else mutants:
            names = {name for clause in mutant.clauses for name in named_tests.get(clause, ())}
            judges = [
                test
                for test in self.tests
                if mutant.seed in test.tables and (test.name in names or not mutant.clauses)
            ]
            if not any(
                self._notices(test, mutant.seed, variant)
                for test in judges
                for variant in mutant.variants
            ):
                who = ", ".join(test.name for test in judges) or "no unit test takes the rule"
                found.append(f"{mutant.name} [{';'.join(sorted(mutant.clauses))}: {who}]")
        return found

    def _notices(self, test: UnitTest, seed: str, updates: tuple[Update, ...]) -> bool:
        """Say whether a test no longer passes with the rules changed, and change them back."""
        self.connection.execute("begin")
        changed = sum(
            self.connection.execute(update.sql.format(table=table)).fetchone()[0]
            for table, columns in test.tables[seed]
            for update in updates
            if update.columns <= columns
        )
        notices = changed > 0 and not self._passes(test)
        self.connection.execute("rollback")
        return notices

    def _passes(self, test: UnitTest) -> bool:
        """Say whether actual and expected rows are the same; an error is no pass, as for dbt."""
        sides = {"actual": Counter(), "expected": Counter()}
        try:
            rows = self.connection.execute(test.sql).fetchall()
        except duckdb.Error:
            return False
        for *row, side in rows:
            sides[side][tuple(row)] += 1
        return sides["actual"] == sides["expected"]

    def _unit_tests(self, target: Path) -> Iterator[UnitTest]:
        nodes = {node["name"]: node for node in self.manifest["nodes"].values()}
        for number, test in enumerate(self.manifest["unit_tests"].values()):
            path = Path(test["original_file_path"])
            file = target / "run" / "segments" / path / path.parent / f"{test['name']}.sql"
            sql = file.read_text(encoding="utf-8")
            tables = defaultdict(list)
            for given in test["given"]:
                node = nodes.get(given["input"].removeprefix("ref('").removesuffix("')"))
                seeds = self._seeds_of(node) if node else set()
                if seeds:
                    table = f"rules_{number}_{node['name']}"
                    self._make_table(table, node["relation_name"], given["rows"] or [])
                    sql = _read_from(sql, f"__dbt__cte__{node['name']} as (", table)
                    for seed in seeds:
                        tables[seed].append((table, frozenset(self._types(table))))
            if tables:
                yield UnitTest(test["name"], sql, tables)

    def _seeds_of(self, node: Mapping[str, Any]) -> set[str]:
        """Return the seeds whose rules an input carries: itself, or those of a model of rules."""
        if node["resource_type"] == "seed":
            return {node["name"]}
        if not node["original_file_path"].startswith(FOLDERS):
            return set()
        parents = node["depends_on"]["nodes"]
        return {parent.split(".")[-1] for parent in parents if parent.startswith("seed.")}

    def _make_table(self, table: str, relation: str, rows: list[Mapping[str, Any]]) -> None:
        self.connection.execute(f"create table {table} as select * from {relation} limit 0")
        for row in rows:
            columns, places = ", ".join(row), ", ".join("?" for _ in row)
            insert = f"insert into {table} ({columns}) values ({places})"
            self.connection.execute(insert, list(row.values()))

    def _types(self, relation: str) -> dict[str, str]:
        described = self.connection.execute(f"describe {relation}").fetchall()
        return {column: kind for column, kind, *_ in described}

    def _rows_changed(self) -> Iterator[Mutant]:
        """Yield the mutants of the seeds that have a rule_id or a fixture of rules."""
        days = dict(seed_and_day(path) for path in fixtures())
        for node in self.manifest["nodes"].values():
            if node["resource_type"] == "seed" and node["name"] != "settings":
                types = self._types(node["relation_name"])
                if "rule_id" in types or node["name"] in days:
                    rules = rules_on(node["name"], days.get(node["name"], FACT_DAY))
                    yield from _rules_changed(node["name"], rules, types)

    def _settings_changed(self) -> Iterator[Mutant]:
        """Yield the mutants of the settings that have a clause or are given to a unit test."""
        given = {
            name
            for test in self.manifest["unit_tests"].values()
            for source in test["given"]
            for row in source["rows"] or []
            for name in (*row, row.get("setting"))
        }
        for row in rules_on("settings", FACT_DAY):
            if row["clause"] or row["setting"] in given:
                yield from _setting_changed(row)


def without_equivalents(survivors: Iterable[str]) -> list[str]:
    """Return the survivors that are no equivalents, and the equivalents that did not survive."""
    by_name = {text.rsplit(" [", 1)[0]: text for text in survivors}
    stale = (name for name in EQUIVALENT if name not in by_name)
    return [
        *(text for name, text in by_name.items() if name not in EQUIVALENT),
        *(f"{name}: listed in EQUIVALENT, but it is noticed, or no mutant" for name in stale),
    ]


def _rules_changed(name: str, rules: list[Row], types: Mapping[str, str]) -> Iterator[Mutant]:
    """Yield the mutants of the rows of one seed, a row per rule."""
    key = "rule_id" if "rule_id" in types else next(iter(types))
    clauses = {rule[key]: _clauses(rule) for rule in rules}

    def mutant(
        ids: list[str], change: str, *variants: tuple[Update, ...], rivals: Iterable[Row] = ()
    ) -> Mutant:
        involved = [*ids, *(rival[key] for rival in rivals)]
        of_all = frozenset().union(*(clauses[rule] for rule in involved))
        return Mutant(name, f"{name} {', '.join(ids)}: {change}", of_all, variants)

    def update(ids: list[str], column: str, expression: str) -> Update:
        listed = ", ".join(f"'{rule}'" for rule in ids)
        sql = f"update {{table}} set {column} = {expression} where {key} in ({listed})"
        return Update(frozenset({key, column}), sql)

    for (_, measure, cut), sides in _cuts(rules).items():
        ids = [rule for rule in clauses if any(rule in side for side in sides.values())]
        for step in _steps(measure):
            moved = [update(side, bound, f"{bound} + {step}") for bound, side in sides.items()]
            yield mutant(ids, f"{measure} {cut} {step:+}", tuple(moved))

    for rule in rules:
        ids = [rule[key]]
        for column in types:
            value = rule[column]
            if column == "code" or (column == key and key != "rule_id"):
                gone = Update(frozenset({key}), f"delete from {{table}} where {key} = '{ids[0]}'")
                changed = update(ids, column, f"{column} || '0'")
                yield mutant(ids, f"{column} {value}", (changed,), (gone,))
            elif not value or column in NAMES | {"priority", "lower_bound", "upper_bound"}:
                continue
            elif types[column] == "VARCHAR":
                yield mutant(ids, f"{column} unknown", (update(ids, column, f"{column} || '0'"),))
                yield mutant(ids, f"{column} blank", (update(ids, column, "null"),))
            elif types[column] == "BOOLEAN":
                yield mutant(ids, f"{column} turned", (update(ids, column, f"not {column}"),))
            else:
                for step in _steps(_measure(column) or column):
                    moved = update(ids, column, f"{column} + {step}")
                    yield mutant(ids, f"{column} {value} {step:+}", (moved,))

    if "priority" in types:
        order = sorted(rules, key=lambda rule: int(rule["priority"]))
        for place, rule in enumerate(order):
            for others, change, priority in (
                (order[place + 1 :], "tried last", int(order[-1]["priority"]) + 1),
                (order[:place], "tried first", int(order[0]["priority"]) - 1),
            ):
                rivals = [other for other in others if _is_rival(rule, other)]
                if rivals:
                    moved = update([rule[key]], "priority", str(priority))
                    yield mutant([rule[key]], change, (moved,), rivals=rivals)


def _setting_changed(row: Row) -> Iterator[Mutant]:
    """Yield a setting moved up and down, or made unknown if it is no number and no day.

    Models of settings have a column for each, the seed has a row.
    """
    name, unit, value = row["setting"], row["unit"], row["value"] or "blank"

    def mutant(change: str, addend: str, in_seed: str, days: int = 0) -> Mutant:
        tall = f"update {{table}} set value = cast({in_seed} as varchar) where setting = '{name}'"
        updates = [
            Update(frozenset({name}), f"update {{table}} set {name} = {name} {addend}"),
            Update(frozenset({"setting", "value"}), tall),
        ]
        # A window that is a day longer opens a day earlier.
        after = re.sub("^days_", "after_", re.sub("_days$", "_after", name))
        if after != name:
            moved = f"update {{table}} set {after} = {after} - cast({days} as int)"
            updates.append(Update(frozenset({after}), moved))
        return Mutant("settings", f"settings {name}: {change}", _clauses(row), (tuple(updates),))

    if unit == "date":
        yield mutant(f"{value} +1", "+ 1", "cast(value as date) + 1")
        yield mutant(f"{value} -1", "- 1", "cast(value as date) - 1")
    elif not row["minimum"]:
        yield mutant(f"{value} unknown", "|| '0'", "value || '0'")
    else:
        step = Decimal(1)
        if "currency" in unit or Decimal(row["maximum"]) <= 1:
            step = Decimal("0.01")
        elif unit.endswith("gaps"):
            step = Decimal("0.1")
        for by in (step, -step):
            in_seed = f"cast(value as decimal(18, 6)) + {by}"
            yield mutant(f"{value} {by:+}", f"+ {by}", in_seed, int(by))


def _clauses(rule: Row) -> frozenset[str]:
    return frozenset(filter(None, rule.get("clause", "").split(";")))


def _cuts(rules: list[Row]) -> dict[tuple[str, str, str], dict[str, list[str]]]:
    """Return each cut of bands by dimension, measure and value: whose bound it is, on each side."""
    cuts = {}
    for rule in rules:
        for side in ("lower_bound", "upper_bound"):
            if rule.get(side):
                cut = rule["dimension"], rule["measure"], rule[side]
                cuts.setdefault(cut, defaultdict(list))[side].append(rule["rule_id"])
    return cuts


def _steps(measure: str) -> tuple[Decimal, Decimal]:
    step = Decimal(1) if WHOLE.search(measure) else Decimal("0.01")
    return step, -step


def _measure(column: str) -> str | None:
    """Return the measure that a column bounds where a rule has a pair of bounds per measure."""
    found = re.fullmatch("(.+)_(from|below)", column)
    return found and found[1]


def _is_rival(one: Row, other: Row) -> bool:
    """Say whether two rules with different codes could hold at once, going by their conditions."""
    if one["code"] == other["code"]:
        return False
    for column in one.keys() - NAMES - {"code", "priority"}:
        measure = _measure(column)
        if measure:
            lowest = max(Decimal(row[f"{measure}_from"] or "-Infinity") for row in (one, other))
            below = min(Decimal(row[f"{measure}_below"] or "Infinity") for row in (one, other))
            if lowest >= below:
                return False
        elif one[column] and other[column] and one[column] != other[column]:
            return False
    return True


def _read_from(sql: str, start: str, table: str) -> str:
    """Return the SQL with the rows between `start` and its `)` replaced by those of a table."""
    assert sql.count(start) == 1, f"dbt writes given rows in another way: not one {start}"
    before, after = sql.split(start)
    depth = 1
    for found in re.finditer(r"'(?:[^']|'')*'|[()]", after):
        depth += {"(": 1, ")": -1}.get(found[0], 0)
        if depth == 0:
            break
    return f"{before}{start}select * from {table}{after[found.start() :]}"
