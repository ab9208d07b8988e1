"""Would an outsider draw the same portrait of every customer?

`profiles_by_hand` shares no code with the models. The sample shop is polite; in the crowded shop
many facts fall on few days, topics, categories and prices, so that ties and edges of windows meet.
"""

import random
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from fractions import Fraction
from pathlib import Path

import duckdb
import pytest

from tests.shops import Warehouse, deliver, quick_run
from tests.warehouse import profiles_by_hand, shop_by_hand
from tests.warehouse.online_retail_by_hand import differences, published
from tests.warehouse.profiles_by_hand import Row, age_on
from tests.warehouse.shop_by_hand import Date

AS_OF = datetime(2025, 2, 28)  # who was born on 29 February 2000 is 25 on it
KINDS = ("consultation", "service_ticket", "complaint", "csat", "campaign_activity", "visit", "nps")
TOPICS = ("efficiency", "Efficiency", "cost_saving", "convenience", "smart_features", "quality", "")
# Around the windows of the as-of and of first orders.
DAYS = (0, 1, 27, 28, 29, 30, 31, 32, 89, 90, 91, 92, 120, 364, 365, 366, 455, 456)
# What the shop leaves blank and the computation by hand asks for.
BLANK = {
    "customers": ("registered_at", "verified_at"),
    "products": ("unit_cost",),
    "orders": ("currency", "discount_amount"),
    "order_lines": ("discount_amount", "unit_cost"),
    "refunds": ("quantity",),
    "interactions": (),
    "campaign_contacts": (),
}


class CrowdedShop:
    """A shop of few products and days; the same seed draws the same one."""

    def __init__(self, seed: int) -> None:
        self.draw = random.Random(seed)
        self.customers = [f"C{number:03}" for number in range(500)]

    def moment(self) -> datetime:
        """Return one of few days and of few moments in it."""
        return AS_OF - timedelta(self.draw.choice(DAYS)) + timedelta(hours=self.draw.choice((8, 9)))

    def write(self, landing: Path) -> None:
        pick = self.draw.choice
        products = [
            {
                "product_id": f"P{number}",
                "category": pick(["Tea", "Tools", "Books", "Art", ""]),
                "product_kind": pick(["product", "Product", "service", ""]),
                "price_tier": pick(["premium", "value", "Value", ""]),
            }
            for number in range(24)
        ]
        orders, lines, refunds = [], [], []
        for number in range(2400):
            order, own = self.order(f"O{number}")
            orders.append(order)
            lines += own
            if self.draw.random() < 0.2:
                refunds.append(self.refund(f"R{number}", order, own))
        feeds = {
            "customers": [self.customer(who) for who in self.customers[:480]],
            "products": products,
            "orders": orders,
            "order_lines": lines,
            "refunds": refunds,
            "interactions": [self.interaction(number) for number in range(4000)],
            "campaign_contacts": [
                {
                    "campaign_id": f"K{number}",
                    "customer_id": who,
                    "arm": pick(["treatment", "control", "Treatment", "odd"]),
                    "contacted_at": self.moment(),
                }
                for number in range(3)
                for who in self.customers
            ],
        }
        for feed, rows in feeds.items():
            deliver(landing, feed, [row | dict.fromkeys(BLANK[feed], "") for row in rows])

    def customer(self, who: str) -> dict[str, object]:
        pick = self.draw.choice
        born = pick(["", "2000-02-29", "2000-02-28", "2000-03-01", "1990-02-28", "1990-03-01"])
        if self.draw.random() < 0.4:
            born = pick(["1980-02-28", "1970-03-01", "1970-02-28", "1904-03-01", "1904-02-28"])
        if self.draw.random() < 0.1:
            born = pick(["2025-02-28", "2025-03-01", "2030-01-01"])
        return {
            "customer_id": who,
            "customer_type": pick(["business", "consumer", "Consumer", "", "authority"]),
            "birth_date": born,
            "annual_revenue": pick(
                ["", "-1", "0", "999999.99", "1000000", "4999999.99", "5000000", "200000000"]
            ),
            "industry": pick(["", "Retail"]),
            "country": pick(["", "China"]),
            "region": pick(["", "Hubei"]),
            "preferred_contact_channel": pick(["", "wechat", "phone"]),
        }

    def order(self, order_id: str) -> tuple[dict[str, object], list[dict[str, object]]]:
        pick = self.draw.choice
        order = {
            "order_id": order_id,
            "customer_id": pick([*self.customers[:400], ""]),
            "ordered_at": self.moment(),
            "status": pick(["completed"] * 9 + ["cancelled"]),
            "channel": pick(["online", "offline", "Online", "", "fair"]),
        }
        lines = [
            {
                "order_id": order_id,
                "line_number": place,
                "product_id": pick([*(f"P{number}" for number in range(26)), ""]),
                "quantity": pick(["1", "2", "-1"]) if place > 1 else pick(["1", "2"]),
                "unit_price": pick(["10", "20", "30", "0"]),
            }
            for place in range(1, pick([2, 3, 5]))
        ]
        return order, lines

    def refund(self, refund_id: str, order: dict, lines: list[dict]) -> dict[str, object]:
        """Give some or all of an order back, days later, or money of no order."""
        pick = self.draw.choice
        at = min(order["ordered_at"] + timedelta(pick([0, 1, 29, 30, 31])), AS_OF)
        is_note = self.draw.random() < 0.2
        is_of_line = not is_note and self.draw.random() < 0.5
        return {
            "refund_id": refund_id,
            "order_id": "" if is_note else order["order_id"],
            "customer_id": order["customer_id"],
            "line_number": pick(lines)["line_number"] if is_of_line else "",
            "refunded_at": max(at, order["ordered_at"]),
            "amount": pick(["5", "10", "20", "30", "300"]),
        }

    def interaction(self, number: int) -> dict[str, object]:
        pick = self.draw.choice
        kind = pick(KINDS)
        return {
            "interaction_id": f"I{number:05}",
            "customer_id": pick(self.customers),
            "occurred_at": self.moment(),
            "interaction_type": kind,
            "topic": pick(TOPICS) if kind not in ("csat", "nps") else "",
            "score": pick(["1", "3", "5"]) if kind in ("csat", "nps") else "",
        }


@pytest.fixture(scope="module")
def crowded_shop(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    root = tmp_path_factory.mktemp("crowded_shop")
    CrowdedShop(seed=6).write(root / "landing")
    return quick_run(root, tested=True)


@pytest.fixture(
    scope="module", params=["sample_shop", pytest.param("crowded_shop", marks=pytest.mark.slow)]
)
def shop(request: pytest.FixtureRequest) -> Warehouse:
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="module")
def computed(shop: Warehouse) -> dict[str, Row]:
    rows = profiles_by_hand.compute(shop.landing, shop_by_hand.compute(shop.landing))
    return {f"shop:{who}": row for who, row in rows.items()}


@pytest.fixture(scope="module")
def warehouse(shop: Warehouse) -> Iterator[duckdb.DuckDBPyConnection]:
    with shop.connect() as connection:
        yield connection


def test_every_customer_has_the_same_portrait_in_every_column(computed, warehouse):
    described = warehouse.execute("describe customer_profiles").fetchall()
    columns = next(iter(computed.values()))
    assert set(columns) | {"customer_id"} == {name for name, *_ in described}
    found = published(warehouse, "customer_profiles", "customer_id", *columns)
    assert not differences(computed, found)


def test_the_shops_hold_every_code(computed):
    """A comparison proves nothing about a code that nobody has."""
    codes = {
        name: Counter(row[name] for row in computed.values())
        for name in ("need_type", "product_preference", "channel_preference", "core_need")
    }
    assert set(codes["need_type"]) == {"product", "service", "comprehensive", "unknown"}
    assert set(codes["product_preference"]) == {"premium", "value", "mixed", "unknown"}
    assert set(codes["channel_preference"]) == {"online", "offline", "mixed", "unknown"}
    assert {"efficiency", "convenience", "smart_features"} <= set(codes["core_need"])
    for name in ("had_early_refund", "had_early_complaint", "has_second_order_90d"):
        assert {row[name] for row in computed.values()} == {True, False, None}, name


@pytest.mark.slow
def test_the_crowded_shop_meets_the_edges(crowded_shop):
    shop = shop_by_hand.compute(crowded_shop.landing)
    rows = profiles_by_hand.compute(crowded_shop.landing, shop)
    assert shop.as_of == AS_OF.date()
    assert {row["customer_type"] for row in rows.values()} == {"business", "consumer", "unknown"}
    bands = {row["age_band"] for row in rows.values()}
    assert bands == {"under_25", "25_34", "35_44", "45_54", "55_plus", "unknown", None}
    bands = {row["revenue_band"] for row in rows.values()}
    assert bands == {"micro", "small", "mid", "large", "unknown", None}
    for name, cut in (
        ("product_signal_share_12m", 70),
        ("premium_revenue_share_12m", 60),
        ("online_share_12m", 60),
    ):
        on_cuts = {Fraction(cut, 100), Fraction(100 - cut, 100)}
        assert on_cuts <= {row[name] for row in rows.values()}, name


def test_an_age_counts_full_years_also_from_a_29_february():
    born = Date(2000, 2, 29)
    assert [age_on(Date(2025, 2, day), born) for day in (27, 28)] == [24, 25]
    assert [age_on(Date(2024, 2, day), born) for day in (28, 29)] == [23, 24]


def test_what_the_feeds_do_not_tell_is_unknown_or_empty(online_retail):
    """Online Retail II tells no type, channel, kind, tier, category or interaction."""
    with online_retail.connect() as connection:
        codes = connection.execute("""
            select distinct customer_type, revenue_band, age_band, need_type, product_preference,
                channel_preference, core_need, is_core_need_default, top_category_1,
                online_share_12m, premium_revenue_share_12m, product_signal_share_12m,
                need_signals_12m, consultations_12m, last_consultation_at, complaints_12m,
                campaigns_contacted_12m, campaign_activities_12m, had_early_complaint,
                first_order_csat
            from customer_profiles
        """).fetchall()
        facts = connection.execute("""
            select count(*) filter (had_early_refund), count(*) filter (not had_early_refund),
                count(*) filter (has_second_order_90d), count(*) filter (not has_second_order_90d)
            from customer_profiles
        """).fetchone()
    nothing = [None] * 3
    assert codes == [
        (
            *("unknown", None, None, "unknown", "unknown", "unknown", "unknown", False),
            *(None, *nothing, 0, *nothing, *nothing, None),
        )
    ]
    assert all(facts), "refunds and orders are told of"
