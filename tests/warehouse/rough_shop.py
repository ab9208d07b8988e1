"""A rough shop: every feed drawn at random, so that rules meet which meet nowhere else."""

import random
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

from tests.shops import deliver

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
        "resolved_at",
        "referred_customer_id",
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
        self.add_relationships()
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

    def add_relationships(self) -> None:
        """Add what is told of regular customers, and their orders of the last year.

        The newest facts are refunds of 2025, long after the orders above: without newer orders
        nobody would be new, back or in decline by the newest as-of.
        """
        pick = self.draw.choice
        for number in range(140):
            who = pick([*self.customers[:12] * 2, *self.customers[60:78]])
            order_id, at = (
                f"R{number:03}",
                datetime(2024, 6, 1) + timedelta(self.draw.random() * 345),
            )
            self.add(
                "orders", order_id=order_id, customer_id=who, ordered_at=at, status="completed"
            )
            self.add_lines([self.line(order_id, 1)])
        kinds = {
            "visit": [""],
            "consultation": [""],
            "campaign_activity": [""],
            "register": [""],
            "referral": [""],
            "service_ticket": [""],
            "complaint": [""],
            "csat": ["1", "2", "3", "4", "4.5", "5"],
            "nps": ["0", "6", "7", "9", "10"],
        }
        for number in range(900):
            kind, at = (
                pick([*kinds]),
                datetime(2025, 5, 10) - timedelta(self.draw.random() ** 2 * 700),
            )
            resolved = pick([None, at, at + timedelta(hours=30), at + timedelta(400)])
            self.add(
                "interactions",
                interaction_id=f"J{number:03}",
                customer_id=pick([*self.customers[:12] * 8, *self.customers[12:78]]),
                occurred_at=at.replace(microsecond=0),
                interaction_type=kind,
                score=pick(kinds[kind]),
                resolved_at=resolved or "" if kind in ("service_ticket", "complaint") else "",
                referred_customer_id=pick(["", *self.customers[70:73]])
                if kind == "referral"
                else "",
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
