"""What would lift a customer's value tier, and when it falls: the promises are kept.

Three ways of looking. The sample shop is worked out from its landing files by `shop_by_hand`, which
shares no code with the models: facts are added and days go by there, and every step and fall must
be the one published. In a shop of the past the same is done to the warehouse: orders that are the
promised steps are delivered, days go by with an order of a guest alone, and the models are run
again. And the published reasons alone must give the tier again.

The shop of the past ends on 30 June 2024, so its 12 months begin on 2 July 2023 and hold a leap
day. Customers are planted in it whose falls and steps are worked out by hand, see `PLANTED`.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import ROUND_FLOOR, Decimal
from fractions import Fraction
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest

from orchestration.home import home
from orchestration.ingest import ingest
from sample.generate import generate
from tests import warm
from tests.shops import Warehouse, deliver, line, order
from tests.warehouse import shop_by_hand
from tests.warehouse.online_retail_by_hand import (
    POINTS,
    YEAR_DAYS,
    frequency_band,
    half_away,
    margin_band,
    spend_band,
    value_tier,
)
from tests.warehouse.shop_by_hand import Entry, Order, Shop

DAY = timedelta(days=1)
YEAR = timedelta(days=YEAR_DAYS)
CENT = Decimal("0.01")
RANKS = {"high": 1, "mid": 2, "low": 3}
# Where bands begin (V1, V2), in cents and orders.
SPEND_CUTS = (3_000_00, 10_000_00)
MOST_ORDERS = 20_000
COLUMNS = (
    "value_tier, next_step_up, next_step_kind, next_step_tier, next_step_orders, next_step_amount, "
    "drops_on, drops_to_tier, orders_12m, net_revenue_12m, margin_rate_12m"
)
Row = dict[str, Any]


def rows_of(connection, query: str) -> dict[str, Row]:
    """Return rows by the customer that their first column names, without the source."""
    cursor = connection.execute(query)
    names = [column[0] for column in cursor.description][1:]
    return {
        who.removeprefix("shop:"): dict(zip(names, row, strict=True))
        for who, *row in cursor.fetchall()
    }


# ---- The sample shop by hand --------------------------------------------------------------------


@dataclass(frozen=True)
class Year:
    """What a customer's tier follows from on a day, and what it would be with other facts."""

    orders: list[Order]
    entries: list[Entry]

    def tier(self, day: date) -> str:
        return tier_of(shop_by_hand.measure(self.orders, self.entries, day))

    def with_step(self, day: date, count: int, cents: int) -> "Year":
        """Add `count` orders and `cents` on a day, at the margin rate that there is, if any."""
        rate = shop_by_hand.measure(self.orders, self.entries, day).margin_rate_12m
        cost = None if rate is None else cents * (1 - rate)
        at = datetime.combine(day, datetime.min.time())
        new = Entry(day, "order_line", "step", 1, None, "", cents, cost)
        piece = shop_by_hand.Line(1, "", Fraction(1), 1, None)
        orders = [Order(f"step {n}", "", at, Fraction(1), [piece]) for n in range(count)]
        return Year([*self.orders, *orders], [*self.entries, new])

    def fall(self, day: date) -> tuple[date, str] | tuple[None, None]:
        """Return the first later day on which the tier is lower than on `day`, day by day."""
        rank = RANKS[self.tier(day)]
        days = {each.day for each in self.entries} | {each.at.date() for each in self.orders}
        # Nothing changes between the days on which something leaves.
        for left in sorted(each + YEAR for each in days):
            if left > day and RANKS[self.tier(left)] > rank:
                return left, self.tier(left)
        return None, None

    def step(self, day: date) -> tuple[str, str, int | None, int] | None:
        """Return kind, tier, orders and cents of the cheapest change that lifts the tier."""
        measures = shop_by_hand.measure(self.orders, self.entries, day)
        rank = RANKS[tier_of(measures)]
        found = []
        for cut in SPEND_CUTS:
            missing, count = cut - measures.net_revenue_12m, int(measures.orders_12m == 0)
            if missing > 0:
                found.append(("money", self.with_step(day, count, missing), count, missing))
        average = self.average_cents(day)
        if average > 0:
            for count in range(1, MOST_ORDERS):
                # All else than the tier is the same for more: the first that lifts is the cheapest.
                lifted = replace(
                    measures,
                    orders_12m=measures.orders_12m + count,
                    net_revenue_12m=measures.net_revenue_12m + count * average,
                )
                if RANKS[tier_of(lifted)] < rank:
                    year = self.with_step(day, count, count * average)
                    found.append(("orders", year, count, count * average))
                    break
                if lifted.orders_12m >= 12 and lifted.net_revenue_12m >= SPEND_CUTS[-1]:
                    break
        lifting = [
            (cents, RANKS[year.tier(day)], count, kind)
            for kind, year, count, cents in found
            if RANKS[year.tier(day)] < rank
        ]
        if not lifting:
            return None
        cents, reached, count, kind = min(lifting)
        return kind, list(RANKS)[reached - 1], count or None, cents

    def average_cents(self, day: date) -> int:
        """Return what an order is worth on average, of 12 months or else of all history."""
        year = shop_by_hand.measure(self.orders, self.entries, day)
        if year.orders_12m and year.net_revenue_12m > 0:
            return half_away(Fraction(year.net_revenue_12m, year.orders_12m))
        counted = sum(each.is_counted(day) for each in self.orders)
        net = sum(entry.net for entry in self.entries)
        return half_away(Fraction(net, counted)) if counted else 0


def tier_of(measures) -> str:
    bands = (
        spend_band(measures.net_revenue_12m),
        frequency_band(measures.orders_12m),
        margin_band(measures.margin_rate_12m),
    )
    return value_tier(bands)[1]


def years(shop: Shop) -> dict[str, Year]:
    """Return the facts of everybody who ever ordered."""
    orders = shop_by_hand.group_by_customer(shop.orders.values(), lambda each: each.customer_id)
    entries = shop_by_hand.group_by_customer(shop.ledger, lambda each: each.customer_id)
    return {
        who: Year(orders[who], entries.get(who, []))
        for who in orders
        if any(each.is_counted(shop.as_of) for each in orders[who])
    }


@pytest.fixture(scope="module")
def published(sample_shop: Warehouse) -> dict[str, Row]:
    with sample_shop.connect() as connection:
        return rows_of(connection, f"select customer_id, {COLUMNS} from customer_segments")


@pytest.fixture(scope="module")
def by_hand(sample_shop: Warehouse) -> tuple[date, dict[str, Year]]:
    shop = shop_by_hand.compute(sample_shop.landing)
    return shop.as_of, years(shop)


def test_the_sample_shop_holds_what_is_to_be_tested(published):
    """A comparison proves nothing about what no row meets."""
    rows = published.values()
    steps = {(row["value_tier"], row["next_step_kind"], row["next_step_tier"]) for row in rows}
    assert {
        ("low", "money", "mid"),
        ("low", "orders", "mid"),
        ("mid", "money", "high"),
        ("mid", "orders", "high"),
        ("mid", None, None),
        ("high", None, None),
        (None, None, None),
    } <= steps
    falls = {(row["value_tier"], row["drops_to_tier"]) for row in rows}
    assert {("high", "mid"), ("mid", "low"), ("low", None), (None, None)} <= falls
    assert any(row["next_step_kind"] == "money" and row["next_step_orders"] == 1 for row in rows)


def test_every_fall_is_that_of_the_days_going_by(published, by_hand):
    as_of, people = by_hand
    expected = {who: year.fall(as_of) for who, year in people.items()}
    found = {who: (published[who]["drops_on"], published[who]["drops_to_tier"]) for who in people}
    assert {who: (found[who], expected[who]) for who in people if found[who] != expected[who]} == {}


def test_every_step_is_the_cheapest_change_that_lifts_the_tier(published, by_hand):
    as_of, people = by_hand
    different = {}
    for who, year in people.items():
        row, expected = published[who], year.step(as_of)
        found = None
        if row["next_step_kind"]:
            kind, tier, count = (row[f"next_step_{name}"] for name in ("kind", "tier", "orders"))
            found = kind, tier, count, int(row["next_step_amount"] * 100)
        if found != expected:
            different[who] = found, expected
    assert different == {}


def test_who_never_ordered_has_neither(published, by_hand):
    others = published.keys() - by_hand[1].keys()
    assert len(others) > 100
    columns = [name for name in COLUMNS.split(", ") if name.startswith(("next", "drops"))]
    assert {published[who][column] for who in others for column in columns} == {None}


def test_the_line_says_what_the_columns_say(published):
    for row in published.values():
        tier, count, amount = (row[f"next_step_{name}"] for name in ("tier", "orders", "amount"))
        if tier is None:
            assert row["next_step_up"] is None
            continue
        what = f"{amount} more of net revenue"
        if count is not None:
            what = f"{count} order{'s' * (count > 1)} more, worth {amount} in all"
        assert row["next_step_up"] == f"{tier.capitalize()} value with {what}"


def points(rule_id: str) -> int:
    """Return the points of a band of the rules, of an unknown one none."""
    return POINTS.get(rule_id.split(".")[1], 0)


def test_replaying_the_reasons_gives_the_same_tier(sample_shop, published):
    """From `segment_reasons` alone: values in bounds, points added up, points placed."""
    with sample_shop.connect() as connection:
        reasons = connection.execute(
            "select customer_id, dimension, rule_id, measure, value, lower_bound, upper_bound, "
            "code from segment_reasons "
            "where dimension in ('spend_band', 'frequency_band', 'margin_band', 'value_tier')"
        ).fetchall()
        # What a rule gives is the same for everybody, and its bounds leave no room for another.
        rules = {
            (row[3], row[5], row[6]): (row[1], row[7]) for row in reasons if row[4] is not None
        }
    by_customer: dict[str, dict[str, tuple]] = {}
    for who, dimension, *reason in reasons:
        assert dimension not in by_customer.setdefault(who, {}), f"{who}: {dimension} twice"
        by_customer[who][dimension] = tuple(reason)
    judged = {who for who, row in published.items() if row["value_tier"]}
    assert {who.removeprefix("shop:") for who in by_customer} == judged

    def replayed(measure: str, value: float) -> str:
        (code,) = (
            code
            for (name, lower, upper), (_, code) in rules.items()
            if name == measure
            and (lower is None or value >= lower)
            and (upper is None or value < upper)
        )
        return code

    for who, found in by_customer.items():
        row = published[who.removeprefix("shop:")]
        total, known = 0, 0
        for dimension, measure in (
            ("spend_band", "net_revenue_12m"),
            ("frequency_band", "orders_12m"),
            ("margin_band", "margin_rate_12m"),
        ):
            rule_id, named, value, _, _, code = found[dimension]
            assert named == measure
            assert value == (None if row[measure] is None else pytest.approx(float(row[measure])))
            assert code == ("unknown" if value is None else replayed(measure, value)), who
            total, known = total + points(rule_id), known + (value is not None)
        _, measure, value, lower, upper, code = found["value_tier"]
        assert measure == f"points_of_{'two' if known == 2 else 'three'}_bands"
        assert value == total
        assert (lower is None or total >= lower) and (upper is None or total < upper)
        assert code == replayed(measure, total) == row["value_tier"], who


# ---- A shop of the past, run again --------------------------------------------------------------

END = date(2024, 6, 30)
# Customer, days, price and cost of an order, without a cost its margin is unknown.
SALES = (
    ("leap", ("2024-02-29", "2024-04-10", "2024-04-11", "2024-04-12"), "1000", None),
    ("repaid", ("2023-06-10",), "100", None),
    ("repaid", ("2023-10-05",), "0.50", None),
    ("repaid", tuple(f"2024-03-0{day}" for day in range(1, 5)), "750", None),
    ("shown", ("2023-07-10",), "2000", None),
    ("shown", tuple(f"2024-05-{day:02}" for day in range(1, 13)), "1000", "950"),
    ("covered", ("2023-08-01",), "9500", "6650"),
    ("covered", ("2024-05-01", "2024-05-02"), "200", None),
    ("covered", ("2024-05-03",), "100", None),
    ("often", ("2024-05-01",), "2.99", None),
    ("often", ("2024-05-02", "2024-05-03"), "1498.50", None),
    ("cash", ("2024-05-01",), "2999.99", "2549.99"),
    ("lapsed", ("2023-01-10", "2023-01-11"), "5000", None),
)
# The customer's order of 10 June 2023 is no more in the 12 months, what it got back for it is.
REFUND = {
    "refund_id": "repaid",
    "order_id": "repaid 2023-06-10",
    "refunded_at": "2023-09-25 12:00:00",
    "amount": "0.50",
    **dict.fromkeys(("line_number", "customer_id", "quantity"), ""),
}
# What the computation by hand reads of every order and line.
BLANK_ORDER = {"currency": "", "discount_amount": ""}
BLANK_LINE = {"product_id": "", "discount_amount": ""}
# Tier, fall and step. Without a margin 4 points are mid and 6 high, with one 5 and 8.
PLANTED = {
    # 2 + 2; three orders of 3,000 in all are 2 + 1. A day is 365 days long in the window, so 29
    # February leaves on the 28th. 8 orders of 1,000 to 3 + 3.
    "leap": ("mid", date(2025, 2, 28), "low", "orders", "high", 8, "8000.00"),
    # 3,000.00 in 5 orders. The 0.50 of October leave on 4 October 2024, but the 0.50 paid back have
    # left on 24 September: 3,000.00 still. 600 an order: 12 of them to 3 + 3.
    "repaid": ("mid", date(2025, 3, 1), "low", "orders", "high", 12, "7200.00"),
    # 14,000 of which 12,000 have a cost: unknown, 3 + 3. Without the 2,000 it is 5%: 3 + 3 + 1.
    "shown": ("high", date(2024, 7, 9), "mid", None, None, None, None),
    # Exactly 95% of exactly 10,000 have a cost, 30% are margin: 3 + 2 + 3. Then 500 in 3 orders.
    "covered": ("high", date(2024, 7, 31), "low", None, None, None, None),
    # 2,999.99 in 3 orders: a cent makes 2 + 1, an order of 1,000.00 (999.9967) makes 2 + 2.
    "often": ("low", None, None, "orders", "mid", 1, "1000.00"),
    # 1 + 1 + 2 at 15%: a cent makes 2 + 1 + 2.
    "cash": ("low", None, None, "money", "mid", None, "0.01"),
    # No order in 12 months, so money takes one: 10,000 are 3 + 1 in one order as in two of 5,000.
    "lapsed": ("low", None, None, "money", "mid", 1, "10000.00"),
}
STEPS = ("int_customers__next_steps", "int_customers__tier_drops")
TIERS = "int_customers__value_bands"


def build(root: Path, *models: str) -> Warehouse:
    """Take in what was delivered and build models with all that they stand on, untested."""
    place = home(root).prepare()
    ingest(place)
    untested = ("--exclude-resource-type", "test", "--exclude-resource-type", "unit_test")
    warm.call(place, "build", *untested, "--select", *(f"+{model}" for model in models))
    return Warehouse(root, place.landing)


def tiers(warehouse: Warehouse) -> dict[str, str]:
    with warehouse.build() as connection:
        rows = rows_of(
            connection,
            f"select customer_id, value_tier from intermediate.{TIERS} "
            "join intermediate.int_as_of_dates using (as_of_date) where is_newest",
        )
    return {who: row["value_tier"] for who, row in rows.items()}


@dataclass(frozen=True)
class Past:
    """The shop of the past as of its last day: its home, and the rows of all who ever ordered."""

    root: Path
    rows: dict[str, Row]

    def rebuilt(self, root: Path, deliveries: dict[str, list[dict]]) -> dict[str, str]:
        """Return everybody's tier after deliveries, and nothing else, were added to a copy."""
        copytree(self.root, root)
        for feed, rows in deliveries.items():
            deliver(root / "landing", feed, rows, name="zz_added")
        return tiers(build(root, TIERS))


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Past:
    root = tmp_path_factory.mktemp("past")
    generate(root, customers=300, months=14, seed=5, end=END)
    sales = [
        (f"{who} {day}", who, day, price, cost) for who, days, price, cost in SALES for day in days
    ]
    orders = [order(name, who, day, **BLANK_ORDER) for name, who, day, _, _ in sales]
    lines = [line(name, price, unit_cost=cost, **BLANK_LINE) for name, _, _, price, cost in sales]
    for feed, rows in (("orders", orders), ("order_lines", lines), ("refunds", [REFUND])):
        deliver(root / "landing", feed, rows, name="planted")
    warehouse = build(root, *STEPS)
    with warehouse.build() as connection:
        rows = rows_of(
            connection,
            f"select customer_id, {COLUMNS} from intermediate.int_customers__segments "
            "left join intermediate.int_customers__next_steps using (customer_id) "
            "left join intermediate.int_customers__tier_drops using (customer_id) "
            "where is_newest and value_tier is not null",
        )
    return Past(root, rows)


def test_planted_customers_fall_and_rise_as_worked_out(past):
    found = {
        who: (
            row["value_tier"],
            row["drops_on"],
            row["drops_to_tier"],
            row["next_step_kind"],
            row["next_step_tier"],
            row["next_step_orders"],
            None if row["next_step_amount"] is None else str(row["next_step_amount"]),
        )
        for who, row in past.rows.items()
        if who in PLANTED
    }
    assert found == PLANTED


def busiest_day(rows: Iterable[Row]) -> date:
    """Return the first of the two days, one after the other, that bring the most falls."""
    days = [row["drops_on"] for row in rows if row["drops_on"]]
    both = {day: (days.count(day), days.count(day + DAY)) for day in days}
    return max(both, key=lambda day: (min(both[day]), sum(both[day]), day))


@pytest.mark.slow
def test_the_tier_falls_on_the_promised_day_and_not_before_it(past, tmp_path):
    """Days go by with an order of a guest alone; the first is the day before the second."""
    first = busiest_day(past.rows.values())
    fallen = []
    for day in (first, first + DAY):
        bought = order("guest", "", str(day))
        facts = {"orders": [bought], "order_lines": [line("guest", "1")]}
        found = past.rebuilt(tmp_path / str(day), facts)
        for who, row in past.rows.items():
            if row["drops_on"] == day:
                assert found[who] == row["drops_to_tier"], f"{who} on {day}"
                fallen.append(day)
            elif row["drops_on"] is None or row["drops_on"] > day:
                assert RANKS[found[who]] <= RANKS[row["value_tier"]], f"{who} fell by {day}"
    assert fallen.count(first) >= 2 <= fallen.count(first + DAY)


def steps_taken(past: Past) -> tuple[dict[str, str], dict[str, list[dict]]]:
    """Return who can take the promised step, to which tier, and the deliveries that do so."""
    larger = larger_orders(past)
    promised, orders, lines = {}, [], []
    for who, row in past.rows.items():
        count, amount = row["next_step_orders"], row["next_step_amount"]
        if row["next_step_kind"] is None:
            continue
        if count is None:
            if who not in larger:
                continue
            given = larger[who]
            new = {
                "order_id": given[0]["order_id"],
                "line_number": 1 + max(int(each["line_number"]) for each in given),
                "quantity": 1,
                **priced(amount, row["margin_rate_12m"]),
            }
            lines += [{**each, "updated_at": f"{END + YEAR} 13:00:00"} for each in (*given, new)]
        else:
            names = [f"step {who} {number}" for number in range(count)]
            orders += [order(name, who, str(END)) for name in names]
            each = priced(amount / count, row["margin_rate_12m"])
            lines += [{"order_id": name, "line_number": 1, "quantity": 1, **each} for name in names]
        promised[who] = row["next_step_tier"]
    columns = dict.fromkeys(name for each in lines for name in each)
    return promised, {
        "orders": orders,
        "order_lines": [{name: each.get(name, "") for name in columns} for each in lines],
    }


def priced(amount: Decimal, rate: float | None) -> dict[str, object]:
    """Return price and cost of a piece, at a margin rate that is not below the customer's."""
    cost = "" if rate is None else (amount * (1 - Decimal(rate))).quantize(CENT, ROUND_FLOOR)
    return {"unit_price": amount, "unit_cost": cost}


def larger_orders(past: Past) -> dict[str, list[dict[str, str]]]:
    """Return the lines of an order of 12 months that can grow by a line and else stay as it is.

    In base currency, without a discount on the order, never refunded: no other cent moves.
    """
    landing = past.root / "landing"
    shop = shop_by_hand.compute(landing)
    records = shop_by_hand.winners(shop_by_hand.read_feed(landing, "orders"), "order_id")
    given = shop_by_hand.lines_of_orders(shop_by_hand.read_feed(landing, "order_lines"))
    return {
        each.customer_id: given[name]
        for name, each in shop.orders.items()
        if each.at.date() > END - YEAR
        and each.rate == 1
        and each.is_counted(END)
        and not each.refunded
        and not records[name,].get("discount_amount")
    }


@pytest.mark.slow
def test_applying_the_step_gives_the_promised_tier(past, tmp_path):
    promised, deliveries = steps_taken(past)
    found = past.rebuilt(tmp_path / "stepped", deliveries)
    assert {who: found[who] for who in promised} == promised
    everybody = [who for who, row in past.rows.items() if row["next_step_kind"]]
    assert len(promised) > 0.9 * len(everybody) > 100
    kinds = {(past.rows[who]["next_step_kind"], promised[who]) for who in promised}
    assert kinds == {(kind, tier) for kind in ("money", "orders") for tier in ("mid", "high")}
