"""Many as-ofs in one pass against one as-of at a time, on random small facts.

The models sum changes over as-ofs: what comes into a window is added once and taken off once. Here
the SQL that dbt compiled runs on tables drawn by hypothesis, and a few lines of Python that look at
one as-of and one customer only say what must come out. No dbt run is needed, so hundreds of cases
cost seconds.
"""

import statistics
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestration import dbt
from orchestration.home import home
from tests import warm

DAY = timedelta(days=1)
MINIMUM = date(1990, 1, 1)
FOREVER = date(9999, 12, 31)
NEWEST = date(2026, 7, 19)
# With two years before the oldest as-of, so that the longest windows have both edges.
EARLIEST = date(2022, 6, 1)
MONTH_ENDS = [
    date(year, month, 1) - DAY
    for year in (2024, 2025, 2026)
    for month in range(1, 13)
    if date(2024, 6, 1) <= date(year, month, 1) <= NEWEST
]
CUSTOMERS = ("shop:a", "shop:b")
# The products of the last two are in no known category.
PRODUCTS = {"p1": "tea", "p2": "tea", "p3": "cups", "p4": None}
# In the order in which they are built.
MODELS = (
    "int_as_of_dates",
    "int_settings__by_as_of",
    "int_windows",
    "int_days__periods",
    "int_periods__spans",
    "int_customers__at_as_of",
    "int_customers__order_changes",
    "int_customers__revenue_changes",
    "int_customers__category_changes",
    "int_customers__measures",
    "int_customers__order_days",
    "int_customers__rhythm",
    "int_as_of_dates__cycles",
    "int_customers__cycles",
    "int_customers__comebacks",
    "int_cohorts__churn",
    "int_customers__clv_formula",
)
# Short figures, so that few orders and two customers reach them.
FIGURES = {
    "days_24m": "730",
    "days_3m": "91",
    "minimum_cycle_days": "30",
    "comeback_days": "90",
    "minimum_comeback_gap_days": "60",
    "comeback_gap_multiple": "2",
    "maximum_life_years": "3",
    "minimum_cohort_customers": "2",
}
INPUTS = """
create schema build.intermediate;
create schema build.staging;
create schema build.seeds;
create table build.intermediate.int_newest_as_of (
    newest_as_of_date date, previous_as_of_date date, first_fact_date date, known_from date
);
create table build.intermediate.int_days (date_day date);
create table build.intermediate.int_month_ends (as_of_date date, is_kept boolean);
create table build.seeds.settings (
    setting varchar, value varchar, valid_from date, valid_to date
);
create table build.staging.stg_rules__fact_settings (minimum_date date);
create table build.staging.stg_control__increment (last_day date);
create table build.staging.stg_control__rule_versions (valid_from date, rule_version varchar);
create table build.intermediate.int_customers__united (
    source varchar, customer_id varchar, known_since date
);
create table build.intermediate.int_orders__valued (
    order_id varchar, customer_id varchar, order_date date, is_countable boolean, voided_on date
);
create table build.intermediate.int_order_lines__valued (
    order_id varchar, customer_id varchar, order_date date, product_id varchar,
    quantity decimal(18, 6)
);
create table build.intermediate.int_products__united (product_id varchar, category varchar);
create table build.intermediate.int_sales_ledger (
    customer_id varchar, ledger_date date, net_amount decimal(18, 2), cost_amount decimal(18, 2)
);
"""


@dataclass(frozen=True)
class Order:
    order_id: str
    customer_id: str | None
    day: date
    is_countable: bool
    voided_on: date | None
    lines: tuple[tuple[str | None, int], ...]


@dataclass(frozen=True)
class Entry:
    customer_id: str | None
    day: date
    net: Decimal
    cost: Decimal | None


@dataclass(frozen=True)
class Rule:
    setting: str
    value: str | None
    valid_from: date
    valid_to: date | None


@dataclass(frozen=True)
class Case:
    month_ends: tuple[date, ...]
    rules: tuple[Rule, ...]
    orders: tuple[Order, ...]
    entries: tuple[Entry, ...]

    def as_ofs(self) -> list[date]:
        previous = NEWEST.replace(day=1) - DAY
        # A kept month-end is computed where the one after it is, to compare with.
        openings = (
            day
            for day in self.kept()
            if any(closing.replace(day=1) - DAY == day for closing in self.month_ends)
        )
        return sorted({*self.month_ends, *openings, previous, NEWEST})

    def kept(self) -> list[date]:
        return [day for day in MONTH_ENDS if day not in self.month_ends][:1]

    def known_since(self, customer: str) -> date | None:
        days = [order.day for order in self.orders if order.customer_id == customer]
        days += [entry.day for entry in self.entries if entry.customer_id == customer]
        return min(days, default=None)

    def counted(self, customer: str, as_of: date) -> list[Order]:
        """Return the orders that count on a day: not those voided by then."""
        return [
            order
            for order in self.orders
            if order.customer_id == customer
            and order.is_countable
            and order.day <= as_of
            and (order.voided_on is None or order.voided_on > as_of)
        ]

    def value(self, setting: str, as_of: date) -> str | None:
        (value,) = (
            rule.value
            for rule in self.rules
            if rule.setting == setting and rule.valid_from <= as_of <= (rule.valid_to or FOREVER)
        )
        return value


def dated_rules(setting: str, values: Sequence[str | None]) -> st.SearchStrategy[list[Rule]]:
    """Draw one to three values of a setting, one after the other without a gap."""
    days = [*MONTH_ENDS, *(day + DAY for day in MONTH_ENDS)]
    cuts = st.lists(st.sampled_from(days), unique=True, max_size=2).map(sorted)

    def ranged(drawn: tuple[list[date], list[str | None]]) -> list[Rule]:
        starts = [date(1900, 1, 1), *drawn[0]]
        ends = [*(day - DAY for day in drawn[0]), None]
        return [
            Rule(setting, value, start, end)
            for value, start, end in zip(drawn[1], starts, ends, strict=False)
        ]

    three = st.lists(st.sampled_from(values), min_size=3, max_size=3)
    return st.tuples(cuts, three).map(ranged)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    month_ends = draw(st.lists(st.sampled_from(MONTH_ENDS), unique=True, min_size=4, max_size=12))
    rules = [
        *draw(dated_rules("look_back_days", ["730", "365", "90", None])),
        *draw(dated_rules("days_12m", ["365", "365", "180"])),
        *draw(dated_rules("days_6m", ["182", "182", "90"])),
        *(Rule(setting, value, date(1900, 1, 1), None) for setting, value in FIGURES.items()),
    ]
    # Days beside the edges of windows, and any others.
    edges = [
        day
        for as_of in [NEWEST, *month_ends]
        for length in (0, 90, 180, 365, 730)
        for day in (as_of - timedelta(days=length), as_of - timedelta(days=length - 1))
        if EARLIEST <= day <= NEWEST
    ]
    days = st.one_of(st.sampled_from(edges), st.dates(EARLIEST, NEWEST))
    customers = st.sampled_from([*CUSTOMERS, *CUSTOMERS, None])
    lines = st.tuples(st.sampled_from([*PRODUCTS, "p5", None]), st.sampled_from([1, 1, 2, -1]))
    orders = []
    for number in range(draw(st.integers(6, 20))):
        day = draw(days)
        later = draw(st.one_of(st.none(), st.none(), st.none(), days))
        orders.append(
            Order(
                f"shop:{number}",
                draw(customers),
                day,
                draw(st.integers(0, 5)) > 0,
                None if later is None else max(day, later),
                tuple(draw(st.lists(lines, max_size=3))),
            )
        )
    cents = st.integers(-500, 500).map(lambda amount: Decimal(amount) / 100)
    entry = st.builds(Entry, customers, days, cents, st.one_of(st.none(), cents))
    entries = draw(st.lists(entry, max_size=12))
    return Case(tuple(month_ends), tuple(rules), tuple(orders), tuple(entries))


def expected_measures(case: Case) -> Iterator[tuple]:
    """Work out each row by itself, from the definitions."""
    for as_of in case.as_ofs():
        look_back = case.value("look_back_days", as_of)
        after_look_back = (
            MINIMUM - DAY if look_back is None else as_of - timedelta(days=int(look_back))
        )
        after_24m = as_of - timedelta(days=int(FIGURES["days_24m"]))
        after_12m = as_of - timedelta(days=int(case.value("days_12m", as_of) or 0))
        after_6m = as_of - timedelta(days=int(case.value("days_6m", as_of) or 0))
        for customer in CUSTOMERS:
            known_since = case.known_since(customer)
            if known_since is None and as_of < NEWEST:
                continue
            if known_since is not None and known_since > as_of:
                continue
            counted = case.counted(customer, as_of)
            ledger = [
                entry
                for entry in case.entries
                if entry.customer_id == customer and entry.day <= as_of
            ]
            year = [entry for entry in ledger if entry.day > after_12m]
            covered = [entry for entry in year if entry.cost is not None]
            bought = {
                PRODUCTS.get(product or "")
                for order in counted
                if order.day > after_12m
                for product, quantity in order.lines
                if quantity > 0
            }
            last = max((order.day for order in counted), default=None)
            margin = sum((entry.net - (entry.cost or 0) for entry in covered), Decimal(0))
            ever_covered = [entry.net - entry.cost for entry in ledger if entry.cost is not None]
            yield (
                as_of,
                customer,
                as_of == NEWEST,
                min((order.day for order in counted), default=None),
                last,
                None if last is None else (as_of - last).days,
                len(counted),
                sum(order.day > after_look_back for order in counted),
                sum(order.day > after_24m for order in counted),
                sum(order.day > after_12m for order in counted),
                sum((entry.net for entry in ledger), Decimal(0)),
                sum(ever_covered) if ever_covered else None,
                sum((e.net for e in ledger if e.day > after_look_back), Decimal(0)),
                sum((entry.net for entry in year), Decimal(0)),
                sum((entry.net for entry in ledger if entry.day > after_6m), Decimal(0)),
                sum((entry.net for entry in covered), Decimal(0)),
                margin if covered else None,
                None if bought == {None} else len(bought - {None}),
            )


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return the SQL of the models as dbt sends it to DuckDB."""
    place = home(tmp_path_factory.mktemp("compiled"))
    warm.call(place, "compile", "--select", *MODELS)
    found = {
        path.stem: path for path in dbt.target_folder(place).rglob("compiled/*/models/**/*.sql")
    }
    return {model: Path(found[model]).read_text() for model in MODELS}


@pytest.fixture(scope="module")
def engine(compiled: dict[str, str]) -> Iterator[duckdb.DuckDBPyConnection]:
    connection = duckdb.connect(":memory:", config={"threads": "1"})
    connection.execute("attach ':memory:' as build")
    connection.execute(INPUTS)
    # The longest windows of the oldest as-of begin before it.
    connection.execute(
        "insert into build.intermediate.int_days "
        "select unnest(generate_series(?, ?, interval 1 day))",
        [EARLIEST, NEWEST],
    )
    yield connection
    connection.close()


def fill(engine: duckdb.DuckDBPyConnection, table: str, rows: Iterable[Sequence[object]]) -> None:
    """Make `rows` the rows of an input."""
    engine.execute(f"delete from build.{table}")
    for row in rows:
        engine.execute(f"insert into build.{table} values ({', '.join('?' * len(row))})", row)


def first_fact(case: Case) -> date:
    """Return the day of the oldest fact, of a guest too."""
    return min((fact.day for fact in (*case.orders, *case.entries)), default=NEWEST)


def build(engine: duckdb.DuckDBPyConnection, compiled: dict[str, str], case: Case) -> None:
    """Run the compiled models on a case."""
    known = [(customer, case.known_since(customer)) for customer in CUSTOMERS]
    first = first_fact(case)
    engine.execute("begin")
    fill(
        engine,
        "intermediate.int_newest_as_of",
        [(NEWEST, NEWEST.replace(day=1) - DAY, first, first)],
    )
    fill(
        engine,
        "intermediate.int_month_ends",
        [(day, False) for day in case.month_ends] + [(day, True) for day in case.kept()],
    )
    fill(
        engine,
        "seeds.settings",
        [(rule.setting, rule.value, rule.valid_from, rule.valid_to) for rule in case.rules],
    )
    fill(engine, "staging.stg_rules__fact_settings", [(MINIMUM,)])
    fill(engine, "staging.stg_control__increment", [(FOREVER,)])
    fill(engine, "staging.stg_control__rule_versions", [(date(1900, 1, 1), "abc")])
    fill(
        engine,
        "intermediate.int_customers__united",
        [("shop", customer, since) for customer, since in known],
    )
    fill(
        engine,
        "intermediate.int_orders__valued",
        [(o.order_id, o.customer_id, o.day, o.is_countable, o.voided_on) for o in case.orders],
    )
    fill(
        engine,
        "intermediate.int_order_lines__valued",
        [
            (order.order_id, order.customer_id, order.day, product, quantity)
            for order in case.orders
            for product, quantity in order.lines
        ],
    )
    fill(engine, "intermediate.int_products__united", PRODUCTS.items())
    fill(
        engine,
        "intermediate.int_sales_ledger",
        [(entry.customer_id, entry.day, entry.net, entry.cost) for entry in case.entries],
    )
    for model in MODELS:
        engine.execute(f"create or replace table build.intermediate.{model} as {compiled[model]}")
    engine.execute("commit")


def measures(engine: duckdb.DuckDBPyConnection) -> list[tuple]:
    return engine.execute(
        "select as_of_date, customer_id, is_newest, first_order_date, last_order_date, "
        "recency_days, orders_to_date, frequency, orders_24m, orders_12m, net_revenue_to_date, "
        "margin_to_date, monetary, net_revenue_12m, "
        "net_revenue_6m, covered_revenue_12m, margin_12m, category_count_12m "
        "from build.intermediate.int_customers__measures order by as_of_date, customer_id"
    ).fetchall()


def rhythms(engine: duckdb.DuckDBPyConnection) -> list[tuple]:
    return engine.execute(
        "select as_of_date, customer_id, order_days, median_gap_days, gap_variation, cycles, "
        "cycles_with_orders, repeat_rate, coalesce(comebacks, 0) "
        "from build.intermediate.int_customers__rhythm "
        "join build.intermediate.int_customers__cycles using (as_of_date, customer_id) "
        "left join build.intermediate.int_customers__comebacks using (as_of_date, customer_id) "
        "order by as_of_date, customer_id"
    ).fetchall()


def gaps_of(days: Sequence[date]) -> list[int]:
    return [(after - before).days for before, after in pairwise(days)]


def expected_rhythms(case: Case) -> Iterator[tuple]:
    """Work out each rhythm by itself, from the days on which orders counted then."""
    least = int(FIGURES["minimum_comeback_gap_days"])
    for as_of in case.as_ofs():
        days_of = {
            customer: sorted({order.day for order in case.counted(customer, as_of)})
            for customer in CUSTOMERS
        }
        medians = [statistics.median(gaps_of(days)) for days in days_of.values() if len(days) > 1]
        cycle = Fraction(statistics.median(medians) if medians else 0)
        cycle = max(cycle, Fraction(FIGURES["minimum_cycle_days"]))
        for customer, days in days_of.items():
            if not days:
                continue
            gaps = gaps_of(days)
            cycles = int((as_of - days[0]).days / cycle)
            active = {
                number
                for number in range(cycles)
                if any(number < (day - days[0]).days / cycle <= number + 1 for day in days[1:])
            }
            comebacks = 0
            for place, gap in enumerate(gaps):
                others = gaps[:place] + gaps[place + 1 :]
                usual = 2 * statistics.median(others) if others else 0
                is_late = (as_of - days[place + 1]).days < int(FIGURES["comeback_days"])
                comebacks += is_late and gap > max(least, usual)
            yield (
                as_of,
                customer,
                len(days),
                statistics.median(gaps) if gaps else None,
                pytest.approx(statistics.stdev(gaps) / statistics.mean(gaps))
                if len(gaps) > 1
                else None,
                cycles,
                len(active),
                len(active) / cycles if cycles > 1 else None,
                comebacks,
            )


def formulas(engine: duckdb.DuckDBPyConnection) -> list[tuple]:
    return engine.execute(
        "select as_of_date, customer_id, churn_cohort, yearly_churn, expected_years, clv_formula "
        "from build.intermediate.int_customers__clv_formula "
        "where average_order_value is not null order by as_of_date, customer_id"
    ).fetchall()


def expected_formulas(case: Case) -> Iterator[tuple]:
    """Work out each formula by itself; two customers are enough, three years the longest life."""
    for as_of in case.as_ofs():
        year = int(case.value("days_12m", as_of) or 0)
        after_24m, after_12m = as_of - timedelta(days=730), as_of - timedelta(days=year)
        days_of = {
            customer: [order.day for order in case.counted(customer, as_of)]
            for customer in CUSTOMERS
        }
        # Of each who ordered in the year before the last: first year, and whether it is gone.
        before = [
            (min(days).year, max(days) <= after_12m)
            for days in days_of.values()
            if any(after_24m < day <= after_12m for day in days)
        ]
        for customer, days in days_of.items():
            if not days:
                continue
            name, share = str(min(days).year), None
            own = [is_gone for first_year, is_gone in before if first_year == min(days).year]
            for cohort, gone in ((name, own), ("population", [is_gone for _, is_gone in before])):
                if share is None and len(gone) >= 2 and first_fact(case) <= after_24m + DAY:
                    name, share = cohort, Fraction(sum(gone), len(gone))
            if share is None:
                yield as_of, customer, None, None, None, None
                continue
            years = min(Fraction(3), 1 / share) if share else Fraction(3)
            entries = [each for each in case.entries if each.customer_id == customer]
            net = sum(Fraction(entry.net) for entry in entries if entry.day <= as_of)
            value = net * year / max(year, (as_of - min(days)).days) * years
            cents = int(abs(value) * 100 + Fraction(1, 2)) * (-1 if value < 0 else 1)
            yield as_of, customer, name, float(share), float(years), Decimal(cents) / 100


@settings(
    max_examples=100,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(case=cases())
def test_many_as_ofs_in_one_pass_equal_each_by_itself(engine, compiled, case: Case):
    build(engine, compiled, case)
    assert measures(engine) == list(expected_measures(case))
    assert rhythms(engine) == list(expected_rhythms(case))
    assert formulas(engine) == list(expected_formulas(case))
