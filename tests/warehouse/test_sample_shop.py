"""Would an outsider get the same numbers from the sample shop, and from a rough one?

Each test compares the published tables with `shop_by_hand`, which shares no code with the models or
the generator. The sample shop has what Online Retail II has not: revisions, discounts on orders,
other currencies, costs, refunds, interactions and master data. It is polite, though: in the rough
shop everything is drawn at random, so that rules meet which meet nowhere else.
"""

import random
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from tests.shops import Warehouse, deliver, run
from tests.warehouse import online_retail_by_hand, shop_by_hand
from tests.warehouse.online_retail_by_hand import differences, published
from tests.warehouse.shop_by_hand import Order, Shop

FILES = 3  # of each feed of the rough shop: three deliveries
COLUMNS = {
    "orders": (
        "order_id",
        "customer_id",
        "ordered_at",
        "status",
        "channel",
        "currency",
        "discount_amount",
        "updated_at",
    ),
    "order_lines": (
        "order_id",
        "line_number",
        "product_id",
        "quantity",
        "unit_price",
        "discount_amount",
        "unit_cost",
        "updated_at",
    ),
    "refunds": (
        "refund_id",
        "order_id",
        "line_number",
        "customer_id",
        "refunded_at",
        "amount",
        "quantity",
        "updated_at",
    ),
    "customers": ("customer_id", "customer_type", "registered_at", "verified_at", "updated_at"),
    "products": ("product_id", "category", "unit_cost", "updated_at"),
    "interactions": (
        "interaction_id",
        "customer_id",
        "occurred_at",
        "interaction_type",
        "score",
        "updated_at",
    ),
    "campaign_contacts": ("campaign_id", "customer_id", "arm", "contacted_at"),
}
REVISED = ("2025-07-01 00:00:00", "2025-07-02 00:00:00", "2025-07-03 00:00:00", "")


class RoughShop:
    """Random feeds in three deliveries each; the same seed draws the same shop."""

    def __init__(self, seed: int) -> None:
        self.draw = random.Random(seed)
        self.files = {feed: [[] for _ in range(FILES)] for feed in COLUMNS}
        self.customers = [f"C{number:02}" for number in range(80)]
        self.products = [f"P{number:02}" for number in range(12)]

    def day(self) -> datetime:
        days, seconds = self.draw.randrange(1030), self.draw.randrange(86_400)
        return datetime(2021, 9, 1) + timedelta(days, seconds)

    def add(self, feed: str, **columns: object) -> None:
        """Add a row to one of the deliveries of a feed."""
        row = dict.fromkeys(COLUMNS[feed], "") | columns
        if "updated_at" in row:
            row["updated_at"] = self.draw.choice(REVISED)
        self.files[feed][self.draw.randrange(FILES)].append(row)

    def write(self, landing: Path) -> None:
        for feed, parts in self.files.items():
            for number, rows in enumerate(parts):
                deliver(landing, feed, rows, str(number))

    def fill(self, orders: int) -> "RoughShop":
        self.add_master_data()
        for number in range(orders):
            self.add_order(f"O{number:04}", number)
        for number in range(25):
            self.add(
                "refunds",
                refund_id=f"N{number}",
                order_id="" if number % 5 else "nowhere",
                customer_id=self.draw.choice([*self.customers[:70], *[""] * 9]),
                refunded_at=self.day(),
                amount=self.draw.choice(["1", "9.995", "200"]),
            )
        return self

    def add_master_data(self) -> None:
        pick = self.draw.choice
        for product in [*self.products * 2, "without cost"]:
            cost = "" if product == "without cost" else pick(["", "1.25", "3.333333", "20"])
            self.add("products", product_id=product, category=pick("abcd"), unit_cost=cost)
        for customer in self.draw.choices(self.customers[:75], k=90):
            self.add(
                "customers",
                customer_id=customer,
                customer_type="business",
                registered_at=pick(["", self.day()]),
                verified_at=pick(["", self.day()]),
            )
        kinds = ("register", "login", "verify", "visit", "review", "csat", "nps", "nonsense")
        for _ in range(200):
            kind = pick(kinds)
            self.add(
                "interactions",
                interaction_id=f"I{self.draw.randrange(150)}",
                customer_id=pick(self.customers[:78]),
                occurred_at=self.day(),
                interaction_type=kind,
                score=pick(["0", "1", "5", "10", "11"]) if kind in ("csat", "nps") else "",
            )
        for _ in range(30):
            self.add(
                "campaign_contacts",
                campaign_id="K1",
                customer_id=pick(self.customers),
                arm="treatment",
                contacted_at=self.day(),
            )

    def add_order(self, order_id: str, number: int) -> None:
        """Add an order, other revisions of it, its lines, and at times refunds."""
        pick, chance = self.draw.choice, self.draw.random
        at = self.day()
        order = {
            "order_id": order_id,
            "ordered_at": at,
            "customer_id": pick(self.customers[:60]) if chance() > 0.08 else "",
            "status": pick(["completed"] * 12 + ["pending", "cancelled", "test"]),
            "channel": pick(["online", "offline", ""]),
            "currency": pick(["", "CNY", "USD", "EUR", "HKD"]) if number % 50 else "XXX",
            "discount_amount": pick(["", "", "", "0.5", "0.005", "0.777777"]),
        }
        if number % 211 == 0:
            order["ordered_at"] = pick(["1985-01-01 00:00:00", "2199-01-01 00:00:00"])
        self.add("orders", **order)
        while chance() < 0.2:
            self.add(
                "orders",
                **order
                | pick(
                    [
                        {"status": "cancelled"},
                        {"customer_id": pick(self.customers[:60])},
                        {"discount_amount": "1.11"},
                        {"ordered_at": at + timedelta(pick([-3, 3]))},
                    ]
                ),
            )
        lines = [self.line(order_id, place + 1) for place in range(pick([0, 1, 1, 2, 2, 2, 3, 5]))]
        if lines:
            self.add_lines(lines)
            if chance() < 0.4:
                self.add_refunds(order_id, lines, at)

    def line(self, order_id: str, place: int) -> dict[str, object]:
        pick = self.draw.choice
        is_return = place > 1 and self.draw.random() < 0.1
        quantity = "-1" if is_return else pick(["1", "1", "2", "3", "2.5", "40", "0.333333"])
        has_discount = quantity in ("2", "3", "40")
        return {
            "order_id": order_id,
            "line_number": place,
            "product_id": pick([*self.products, "without cost"]),
            "quantity": quantity,
            "unit_price": pick(["100", "9.99", "20.015", "33.333333", "75.005"]),
            "discount_amount": pick(["", "0.5", "1.005"]) if has_discount else "",
            "unit_cost": pick(["", "", "2", "0.777777", "5.5"]),
        }

    def add_lines(self, lines: list[dict[str, object]]) -> None:
        """Deliver the lines of an order whole, and at times again: fewer, other, some twice."""
        chance = self.draw.random
        deliveries = [lines]
        while chance() < 0.2:
            again = [line | {"quantity": "5"} for line in lines if chance() < 0.8]
            deliveries.append(again + again[:1] if chance() < 0.3 else again)
        for delivery in deliveries:
            place = self.draw.randrange(FILES)
            self.files["order_lines"][place] += [
                line | {"updated_at": self.draw.choice(REVISED)} for line in delivery
            ]

    def add_refunds(self, order_id: str, lines: list[dict[str, object]], at: datetime) -> None:
        """Refund the order, a line, pieces of it or some money; each refund on a day of its own."""
        whole = sum(Decimal(line["quantity"]) * Decimal(line["unit_price"]) for line in lines)
        line = self.draw.choice(lines)
        of_line = Decimal(line["quantity"]) * Decimal(line["unit_price"])
        for number in range(self.draw.randint(1, 3)):
            first_day = -4 if self.draw.random() < 0.1 else 0
            day = at + timedelta(100 * number + self.draw.randint(first_day, 90))
            columns = self.draw.choice(
                [
                    {"amount": whole},
                    {"amount": whole * self.draw.randrange(5, 80) / 100},
                    {"amount": of_line, "line_number": line["line_number"]},
                    {"amount": of_line / 2, "line_number": line["line_number"], "quantity": "0.5"},
                    {"amount": of_line / 4, "line_number": line["line_number"]},
                ]
            )
            columns["amount"] = round(columns["amount"], 6)
            for _ in range(self.draw.choice([1, 1, 1, 2])):
                self.add(
                    "refunds",
                    refund_id=f"{order_id}-{number}",
                    order_id=order_id,
                    refunded_at=day,
                    **columns,
                )


@pytest.fixture(scope="module")
def rough_shop(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    root = tmp_path_factory.mktemp("rough_shop")
    RoughShop(seed=4).fill(orders=900).write(root / "landing")
    return run(root)


@pytest.fixture(
    scope="module", params=["sample_shop", pytest.param("rough_shop", marks=pytest.mark.slow)]
)
def shop(request: pytest.FixtureRequest) -> Warehouse:
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="module")
def computed(shop) -> Shop:
    return shop_by_hand.compute(shop.landing)


@pytest.fixture(scope="module")
def warehouse(shop) -> Iterator[duckdb.DuckDBPyConnection]:
    with shop.connect() as connection:
        yield connection


def in_shop(name: str | None) -> str | None:
    """Return the warehouse's id of something in the shop."""
    return f"shop:{name}" if name else None


def by_shop_id(rows: dict[str, dict[str, object]]) -> dict[str, dict[str, object]]:
    return {f"shop:{name}": row for name, row in rows.items()}


def has_refund_beside_a_return(order: Order) -> bool:
    return order.refunded > 0 and any(line.quantity < 0 for line in order.lines)


def test_both_shops_hold_what_they_are_meant_to_test(computed, shop):
    """A comparison proves nothing about a rule that no row meets."""
    kinds = Counter(entry.entry_type for entry in computed.ledger)
    assert set(kinds) == {"order_line", "return_line", "refund", "credit_note"}
    assert {"cancelled", "test"} <= set(computed.rejected.values())
    orders = computed.orders.values()
    assert any(order.rate != 1 for order in orders)
    assert any(order.voided_on for order in orders)
    assert any(not order.customer_id for order in orders)
    delivered = shop_by_hand.read_feed(shop.landing, "orders")
    assert len(delivered) > len({each.record["order_id"] for each in delivered})


@pytest.mark.slow
def test_the_rough_shop_holds_what_the_sample_does_not(rough_shop):
    computed = shop_by_hand.compute(rough_shop.landing)
    orders = list(computed.orders.values())
    assert any(has_refund_beside_a_return(order) for order in orders)
    assert any(line.cost is None for order in orders for line in order.lines)
    rates = [each.margin_rate_12m for each in computed.measures.values() if each.orders_12m]
    assert None in rates and any(rates)
    assert any(order.net <= 0 for order in orders)
    assert any(order.refunded > order.net > 0 for order in orders)
    assert len(set(computed.rejected.values())) >= 8, set(computed.rejected.values())


def test_the_same_orders_are_accepted_and_the_same_ones_rejected(computed, warehouse):
    found = {name for (name,) in warehouse.execute("select order_id from orders").fetchall()}
    assert found == {in_shop(name) for name in computed.orders}
    aside = warehouse.execute("""
        select feed, record_id from rejected_rows where feed in ('orders', 'refunds')
    """).fetchall()
    assert set(aside) == {(feed, in_shop(name)) for feed, name in computed.rejected}


def test_every_order_has_its_customer_moment_money_margin_and_void_day(computed, warehouse):
    mine = {
        name: {
            "customer_id": in_shop(order.customer_id),
            "ordered_at": order.at,
            "order_date": order.at.date(),
            "net_amount": order.net,
            "margin_amount": order.margin,
            "voided_on": order.voided_on,
            "is_countable": order.net > 0,
        }
        for name, order in computed.orders.items()
    }
    columns = next(iter(mine.values()))
    assert not differences(by_shop_id(mine), published(warehouse, "orders", "order_id", *columns))


def test_every_line_has_its_net_amount_and_cost(computed, warehouse):
    mine = {
        f"{name}:{line.number}": {
            "product_id": in_shop(line.product_id),
            "quantity": line.quantity,
            "net_amount": line.net,
            "cost_amount": line.cost,
        }
        for name, order in computed.orders.items()
        for line in order.lines
    }
    columns = ("product_id", "quantity", "net_amount", "cost_amount")
    found = published(warehouse, "order_lines", "order_line_id", *columns)
    for row in found.values():
        row["quantity"] = float(row["quantity"])
    assert not differences(by_shop_id(mine), found)


def test_every_refund_takes_back_the_same_money_and_cost_from_the_same_lines(computed, warehouse):
    mine = {
        (in_shop(entry.refund_id), entry.line_number): {
            "entry_type": entry.entry_type,
            "order_id": in_shop(entry.order_id),
            "customer_id": in_shop(entry.customer_id),
            "ledger_date": entry.day,
            "cents": entry.net,
            "cost": entry.cost,
        }
        for entry in computed.ledger
        if entry.refund_id
    }
    cursor = warehouse.execute("""
        select refund_id, line_number, entry_type, order_id, customer_id, ledger_date,
            (net_amount * 100)::bigint as cents, (cost_amount * 100)::bigint as cost
        from sales_ledger
        where refund_id is not null and (net_amount <> 0 or cost_amount <> 0)
    """)
    columns = [each[0] for each in cursor.description[2:]]
    found = {row[:2]: dict(zip(columns, row[2:], strict=True)) for row in cursor.fetchall()}
    assert not differences(mine, found)


def test_the_ledger_adds_up_to_the_same_totals_by_type(computed, warehouse):
    mine: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for entry in computed.ledger:
        for place, value in enumerate((entry.net, entry.cost or 0)):
            mine[entry.entry_type][place] += value
    found = warehouse.execute("""
        select entry_type, (sum(net_amount) * 100)::bigint,
            coalesce((sum(cost_amount) * 100)::bigint, 0)
        from sales_ledger group by all
    """).fetchall()
    assert {kind: values for kind, *values in found} == mine


def test_the_ledger_adds_up_to_the_same_for_every_customer_and_the_guests(computed, warehouse):
    mine: dict[str | None, dict[str, int]] = defaultdict(lambda: {"cents": 0, "cost": 0})
    for entry in computed.ledger:
        mine[in_shop(entry.customer_id)]["cents"] += entry.net
        mine[in_shop(entry.customer_id)]["cost"] += entry.cost or 0
    found = warehouse.execute("""
        select customer_id, (sum(net_amount) * 100)::bigint,
            coalesce((sum(cost_amount) * 100)::bigint, 0)
        from sales_ledger group by all
    """).fetchall()
    assert not differences(mine, {who: {"cents": net, "cost": cost} for who, net, cost in found})


def test_the_newest_as_of_is_the_day_of_the_newest_fact(computed, warehouse):
    for table in ("customers", "customer_rfm", "customer_value", "customer_segments"):
        days = warehouse.execute(f"select distinct as_of_date from {table}").fetchall()
        assert days == [(computed.as_of,)], table


def test_the_same_customers_exist_since_the_same_day(computed, warehouse):
    mine = {
        who: {
            "known_since": customer.known_since,
            "activated_at": customer.activated_at,
            "has_master_data": customer.has_master_data,
            "last_order_date": computed.measures[who].last_order,
        }
        for who, customer in computed.customers.items()
    }
    columns = next(iter(mine.values()))
    found = published(warehouse, "customers", "customer_id", *columns)
    assert not differences(by_shop_id(mine), found)


def test_every_customer_has_the_same_recency_frequency_monetary_scores_and_segments(
    computed, warehouse
):
    mine = online_retail_by_hand.rfm_rows(computed.measures, computed.as_of)
    columns = next(iter(mine.values()))
    found = published(warehouse, "customer_rfm", "customer_id", *columns)
    assert not differences(by_shop_id(mine), found)


def test_every_customer_has_the_same_margin_bands_tier_class_and_group(computed, warehouse):
    mine = online_retail_by_hand.value_rows(computed.measures)
    columns = next(iter(mine.values()))
    found = published(warehouse, "customer_value", "customer_id", *columns)
    assert not differences(by_shop_id(mine), found)


def test_every_customer_bought_from_as_many_categories(computed, warehouse):
    mine = {
        who: {"category_count_12m": len(customer.categories)}
        for who, customer in computed.customers.items()
    }
    found = published(warehouse, "customer_value", "customer_id", "category_count_12m")
    assert not differences(by_shop_id(mine), found)


def test_every_reconciliation_is_to_the_cent(warehouse):
    assert not warehouse.execute("""
        select mart, measure, difference from reconciliation where difference is distinct from 0
    """).fetchall()
