"""Would an outsider get the same concentration and the same cohorts?

Computed from the raw files by way of the two computations by hand, which share no code with the
models, with plain loops and exact fractions (definitions, sections 4 and 10).
"""

import calendar
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

import duckdb
import pytest

from tests.shops import Warehouse
from tests.warehouse import online_retail_by_hand, shop_by_hand
from tests.warehouse.online_retail_by_hand import Measures, differences, published

Month = tuple[int, int]


@dataclass(frozen=True)
class Business:
    """What the two tables follow from; money in cents.

    Attributes:
        as_of: the newest as-of.
        measures: of every customer.
        orders: customer and day of every counted order of a customer.
        entries: customer (None for a guest), day and cents of every entry of the ledger.
    """

    as_of: date
    measures: Mapping[str, Measures]
    orders: list[tuple[str, date]]
    entries: list[tuple[str | None, date, int]]


def of_shop(warehouse: Warehouse) -> Business:
    """Read the landing files of the shop."""
    shop = shop_by_hand.compute(warehouse.landing)
    return Business(
        as_of=shop.as_of,
        measures=shop.measures,
        orders=[
            (order.customer_id, order.at.date())
            for order in shop.orders.values()
            if order.customer_id and order.is_counted(shop.as_of)
        ],
        entries=[(entry.customer_id or None, entry.day, entry.net) for entry in shop.ledger],
    )


def of_online_retail(warehouse: Warehouse) -> Business:
    """Read the file of Online Retail II."""
    (path,) = sorted((warehouse.landing / "online_retail" / "invoice_lines").glob("*.csv*"))
    retail = online_retail_by_hand.compute(path)
    orders = retail.orders
    is_void = orders["voided_on"].map(lambda day: isinstance(day, date) and day <= retail.as_of)
    counted = orders[(orders["net"] > 0) & ~is_void & orders["customer_id"].notna()]
    ledger = retail.ledger
    customers = ledger["customer_id"].where(ledger["customer_id"].notna(), None)
    return Business(
        as_of=retail.as_of,
        measures=retail.measures,
        orders=list(zip(counted["customer_id"], counted["day"], strict=True)),
        entries=list(zip(customers, ledger["day"], map(int, ledger["cents"]), strict=True)),
    )


@pytest.fixture(scope="module", params=["sample_shop", "online_retail"])
def shop(request: pytest.FixtureRequest) -> tuple[Warehouse, Business]:
    warehouse = request.getfixturevalue(request.param)
    read = {"sample_shop": of_shop, "online_retail": of_online_retail}[request.param]
    return warehouse, read(warehouse)


@pytest.fixture(scope="module")
def business(shop) -> Business:
    return shop[1]


@pytest.fixture(scope="module")
def warehouse(shop) -> Iterator[duckdb.DuckDBPyConnection]:
    with shop[0].connect() as connection:
        yield connection


# ---- Concentration (section 4) -----------------------------------------------------------------


def shares(amounts: Iterable[int]) -> list[Fraction | None]:
    """Return the share of the best 1, 2, ... 100 percent, negative amounts as nothing."""
    best_first = sorted((max(0, amount) for amount in amounts), reverse=True)
    total = sum(best_first)
    tops = (best_first[: -(-len(best_first) * percentile // 100)] for percentile in range(1, 101))
    return [Fraction(sum(top), total) if total else None for top in tops]


def concentration(measures: Mapping[str, Measures]) -> dict[int, dict[str, object]]:
    """Return the row of `revenue_concentration` of every percentile."""
    buyers = [each for each in measures.values() if each.orders_12m > 0]
    revenue = [each.net_revenue_12m for each in buyers]
    margin = [each.margin_12m or 0 for each in buyers]
    rows = zip(range(1, 101), shares(revenue), shares(margin), strict=True)
    return {
        percentile: {
            "customers": -(-len(buyers) * percentile // 100),
            "revenue_share": revenue_share,
            "margin_share": margin_share,
            "clipped_amount": -sum(amount for amount in revenue if amount < 0),
            "clipped_margin_amount": -sum(amount for amount in margin if amount < 0),
        }
        for percentile, revenue_share, margin_share in rows
    }


def test_the_best_percent_bring_the_same_share_of_revenue_and_margin(business, warehouse):
    mine = concentration(business.measures)
    columns = next(iter(mine.values()))
    found = published(warehouse, "revenue_concentration", "percentile", *columns)
    assert not differences(mine, found)
    assert mine[100]["clipped_amount"] > 0
    assert mine[100]["revenue_share"] == found[100]["revenue_share"] == 1


# ---- Cohorts (section 10) ----------------------------------------------------------------------


def month_of(day: date) -> Month:
    return day.year, day.month


def months_between(first: Month, last: Month) -> int:
    return 12 * (last[0] - first[0]) + last[1] - first[1]


def cohorts(business: Business) -> dict[str, dict[str, object]]:
    """Return the row of `cohort_retention` of every cohort and month."""
    first: dict[str, Month] = {}
    for who, day in sorted(business.orders, key=lambda order: order[1]):
        first.setdefault(who, month_of(day))
    active = defaultdict(set)
    for who, day in business.orders:
        active[first[who], months_between(first[who], month_of(day))].add(who)
    revenue: Counter[tuple[Month, int]] = Counter()
    for who, day, cents in business.entries:
        if who in first:
            revenue[first[who], months_between(first[who], month_of(day))] += cents
    sizes = Counter(first.values())
    keys = {key for key, cents in revenue.items() if cents}
    for cohort in sizes:
        keys |= {
            (cohort, since) for since in range(months_between(cohort, month_of(business.as_of)) + 1)
        }
    return {
        f"{cohort[0]:04}-{cohort[1]:02}-01:{since}": {
            "as_of_date": business.as_of,
            "cohort_month": date(*cohort, 1),
            "months_since": since,
            "customers": sizes[cohort],
            "active_customers": len(active[cohort, since]),
            "retention_rate": Fraction(len(active[cohort, since]), sizes[cohort]),
            "net_revenue": revenue[cohort, since],
            "is_complete": months_between(cohort, month_of(business.as_of)) > since
            or business.as_of.day == calendar.monthrange(*month_of(business.as_of))[1],
        }
        for cohort, since in keys
    }


def test_every_cohort_has_the_same_customers_and_revenue_in_every_month(business, warehouse):
    mine = cohorts(business)
    columns = next(iter(mine.values()))
    found = published(warehouse, "cohort_retention", "cohort_retention_id", *columns)
    assert not differences(mine, found)
    assert any(row["months_since"] < 0 for row in mine.values())


def test_cohorts_hold_all_revenue_but_that_of_guests_and_of_who_has_no_counted_order(
    business, warehouse
):
    buyers = {who for who, _ in business.orders}
    outside = sum(cents for who, _, cents in business.entries if who not in buyers)
    everything = sum(cents for *_, cents in business.entries)
    assert warehouse.execute("""
        select (mart_total * 100)::bigint, (guest_total * 100)::bigint,
            (ledger_total * 100)::bigint, difference
        from reconciliation where mart = 'cohort_retention'
    """).fetchall() == [(everything - outside, outside, everything, 0)]
