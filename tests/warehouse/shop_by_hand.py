"""The sample shop by hand: from its landing files to every customer's codes, without the warehouse.

Written from the definitions alone (sections named in the docstrings) and sharing no code with the
models or the generator. Amounts are exact fractions until the one rounding, and whole cents of the
base currency afterwards.
"""

import csv
import datetime
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import TypeVar

from tests.warehouse.online_retail_by_hand import (
    LOOK_BACK_DAYS,
    SEEDS,
    YEAR_DAYS,
    Measures,
    half_away,
    is_within,
)

BASE_CURRENCY = "CNY"
MINIMUM_DATE = datetime.date(1990, 1, 1)
MOST_DAYS_AHEAD = 1
COVERAGE = Fraction(95, 100)
Date = datetime.date
Moment = datetime.datetime
Record = dict[str, str]
T = TypeVar("T")


# ---- Deliveries and revisions (section 2) ------------------------------------------------------


@dataclass(frozen=True)
class Delivered:
    """One record as delivered: its text and where it stood, to settle revisions."""

    record: Record
    delivery: int
    row: int

    @property
    def rank(self) -> tuple[str, int, int]:
        """Greatest `updated_at` (none is the least), then newest delivery, then last row."""
        return self.record.get("updated_at", ""), self.delivery, self.row


def read_feed(landing: Path, feed: str) -> list[Delivered]:
    """Read every file of a feed; files arrive in the order of their names."""
    records = []
    for delivery, path in enumerate(sorted((landing / "shop" / feed).glob("*.csv"))):
        with path.open(encoding="utf-8", newline="") as file:
            rows = enumerate(csv.DictReader(file))
            records += [Delivered(record, delivery, row) for row, record in rows]
    return records


def winners(records: Iterable[Delivered], *key: str) -> dict[tuple[str, ...], Record]:
    """Return the winning revision of every key."""
    best: dict[tuple[str, ...], Delivered] = {}
    for each in records:
        name = tuple(each.record[part] for part in key)
        if name not in best or each.rank > best[name].rank:
            best[name] = each
    return {name: each.record for name, each in best.items()}


def lines_of_orders(records: Iterable[Delivered]) -> dict[str, list[Record]]:
    """Return each order's lines, whole, from the delivery with its greatest line `updated_at`.

    Among deliveries with the same one, from the newest; a line missing there is gone.
    """
    by_order: dict[str, dict[int, list[Delivered]]] = defaultdict(lambda: defaultdict(list))
    for each in records:
        by_order[each.record["order_id"]][each.delivery].append(each)
    chosen = {}
    for order_id, deliveries in by_order.items():
        best = max(deliveries, key=lambda d: (max(e.rank[0] for e in deliveries[d]), d))
        lines = winners(deliveries[best], "line_number").values()
        chosen[order_id] = sorted(lines, key=lambda line: int(line["line_number"]))
    return chosen


def moment(text: str) -> Moment | None:
    """Return a moment; the shop writes UTC, which is also the business time zone."""
    return Moment.fromisoformat(text) if text else None


def is_dated(at: Moment | None) -> bool:
    """Say whether a fact is dated, from 1990 to a day after its arrival, which is today."""
    newest = Date.today() + datetime.timedelta(days=MOST_DAYS_AHEAD)
    return at is not None and MINIMUM_DATE <= at.date() <= newest


def number(text: str) -> Fraction:
    """Return an exact number, blank as nothing."""
    return Fraction(text) if text else Fraction(0)


def in_cents(amount: Fraction) -> int:
    """Round an exact amount once, to the cent, half away from zero."""
    return half_away(amount * 100)


def read_rates() -> dict[str, list[tuple[Date, Fraction]]]:
    """Return the rates of every currency into the base currency, oldest first."""
    rates: dict[str, list[tuple[Date, Fraction]]] = defaultdict(list)
    with (SEEDS / "exchange_rates.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["base_currency"] == BASE_CURRENCY:
                day = Date.fromisoformat(row["rate_date"])
                rates[row["currency"]].append((day, Fraction(row["rate"])))
    return {currency: sorted(known) for currency, known in rates.items()}


def rate_on(
    rates: dict[str, list[tuple[Date, Fraction]]], currency: str, day: Date
) -> Fraction | None:
    """Return the newest rate on or before the day; blank is the base currency."""
    if currency in ("", BASE_CURRENCY):
        return Fraction(1)
    known = [rate for since, rate in rates.get(currency, ()) if since <= day]
    return known[-1] if known else None


# ---- Orders, refunds, ledger (section 2) -------------------------------------------------------


@dataclass
class Line:
    """A line of an accepted order: net and cost in cents, cost None where none is known."""

    number: int
    product_id: str
    quantity: Fraction
    net: int
    cost: int | None
    refunded: int = 0
    cost_back: int = 0


@dataclass
class Order:
    """An accepted order."""

    order_id: str
    customer_id: str
    at: Moment
    rate: Fraction
    lines: list[Line]
    refunded: int = 0
    voided_on: Date | None = None

    @property
    def numbers(self) -> set[int]:
        """Numbers of its lines."""
        return {line.number for line in self.lines}

    @property
    def net(self) -> int:
        """Sum of the lines' cents."""
        return sum(line.net for line in self.lines)

    @property
    def margin(self) -> int | None:
        """Net less cost of the lines with a cost."""
        covered = [line.net - line.cost for line in self.lines if line.cost is not None]
        return sum(covered) if covered else None

    def is_counted(self, as_of: Date) -> bool:
        """Say whether counts of orders have it: not net <= 0, not void by the as-of."""
        is_void = self.voided_on is not None and self.voided_on <= as_of
        return self.net > 0 and self.at.date() <= as_of and not is_void


@dataclass(frozen=True)
class Entry:
    """A signed entry of the ledger, in cents; cost None where the line's cost is unknown."""

    day: Date
    entry_type: str
    order_id: str | None
    line_number: int | None
    refund_id: str | None
    customer_id: str
    net: int
    cost: int | None


def line_amount(line: Record) -> Fraction:
    """Quantity x unit price - the line's own discount, in the order's currency."""
    return number(line["quantity"]) * number(line["unit_price"]) - number(line["discount_amount"])


def value_lines(
    order: Record, lines: list[Record], rate: Fraction, costs: dict[str, Fraction]
) -> list[Line]:
    """Value the lines of an order, each with its share of the order's discount, rounded once.

    The discount is shared by amount over the lines whose amount is positive. A line costs its own
    unit cost at the order's rate, else its product's newest, which is in base currency.
    """
    positive = sum((line_amount(line) for line in lines if line_amount(line) > 0), Fraction(0))
    discount = number(order["discount_amount"])
    valued = []
    for line in lines:
        amount, quantity = line_amount(line), number(line["quantity"])
        share = discount * amount / positive if amount > 0 else Fraction(0)
        unit_cost = (
            number(line["unit_cost"]) * rate if line["unit_cost"] else costs.get(line["product_id"])
        )
        valued.append(
            Line(
                number=int(line["line_number"]),
                product_id=line["product_id"],
                quantity=quantity,
                net=in_cents((amount - share) * rate),
                cost=None if unit_cost is None else in_cents(quantity * unit_cost),
            )
        )
    return valued


def accept_orders(
    landing: Path, costs: dict[str, Fraction]
) -> tuple[dict[str, Order], dict[str, str]]:
    """Return accepted orders, and why each of the others is not one."""
    rates = read_rates()
    lines = lines_of_orders(read_feed(landing, "order_lines"))
    accepted, rejected = {}, {}
    for (order_id,), order in winners(read_feed(landing, "orders"), "order_id").items():
        at = moment(order["ordered_at"])
        rate = None if at is None else rate_on(rates, order["currency"], at.date())
        if order["status"] != "completed":
            rejected[order_id] = order["status"]
        elif not is_dated(at):
            rejected[order_id] = "not dated within reason"
        elif rate is None:
            rejected[order_id] = "unknown currency"
        else:
            valued = value_lines(order, lines.get(order_id, []), rate, costs)
            accepted[order_id] = Order(order_id, order["customer_id"], at, rate, valued)
    return accepted, rejected


def spread(cents: int, lines: list[Line]) -> dict[int, int]:
    """Spread an order-level refund over the positive lines by amount, truncated to the cent.

    The remainder goes to the largest line, the lowest line number among equals; where no line is
    positive that is all of it.
    """
    positive = [line for line in lines if line.net > 0]
    total = sum(line.net for line in positive)
    parts = {line.number: cents * line.net // total for line in positive}
    largest = min(lines, key=lambda line: (-line.net, line.number)).number
    return parts | {largest: parts.get(largest, 0) + cents - sum(parts.values())}


def has_reached(refunded: int, amount: int) -> bool:
    """Say whether refunds reach an amount; there is none to reach where it is not positive."""
    return amount > 0 and refunded >= amount


def cost_brought_back(order: Order, line: Line, pieces: Fraction) -> int | None:
    """Return the cost that comes back with a refund already added to the line and the order.

    The refund with which the line's or the order's refunds reach their amount brings what remains,
    a number of pieces its proportional cost, plain money none.
    """
    if line.cost is None:
        return None
    remaining = line.cost - line.cost_back
    if has_reached(line.refunded, line.net) or has_reached(order.refunded, order.net):
        return remaining
    if pieces:
        return min(remaining, half_away(line.cost * pieces / line.quantity))
    return 0


def refund_entries(refund: Record, order: Order) -> Iterator[Entry]:
    """Yield the entries of one refund of an order, at the order's rate, and keep what it did.

    The refund that reaches the order's amount brings back the cost of every line, also of those
    that it takes no money from.
    """
    cents = in_cents(number(refund["amount"]) * order.rate)
    at = moment(refund["refunded_at"])
    of_line = int(refund["line_number"]) if refund["line_number"] else None
    parts = spread(cents, order.lines) if of_line is None else {of_line: cents}
    order.refunded += cents
    is_reached = has_reached(order.refunded, order.net)
    if order.voided_on is None and is_reached:
        order.voided_on = at.date()
    for line in order.lines:
        if line.number not in parts and not is_reached:
            continue
        part = parts.get(line.number, 0)
        line.refunded += part
        pieces = number(refund["quantity"]) if line.number == of_line else Fraction(0)
        cost = cost_brought_back(order, line, pieces)
        line.cost_back += cost or 0
        if part or cost:
            yield Entry(
                at.date(),
                "refund",
                order.order_id,
                line.number,
                refund["refund_id"],
                order.customer_id,
                -part,
                None if cost is None else -cost,
            )


def why_not_a_refund(refund: Record, order: Order | None) -> str | None:
    """Return why a refund is rejected, None for an accepted one.

    The definitions name the order that is unknown or not accepted and the credit note without a
    customer; nothing paid back, and nothing to take it from, are this computation's reading.
    """
    at, of_line = moment(refund["refunded_at"]), refund["line_number"]
    if not is_dated(at):
        return "not dated within reason"
    if number(refund["amount"]) <= 0:
        return "pays nothing back"
    if not refund["order_id"]:
        return None if refund["customer_id"] else "credit note without customer"
    if order is None:
        return "of no accepted order"
    if at.date() < order.at.date():
        return "dated before its order"
    if not order.lines or (of_line and int(of_line) not in order.numbers):
        return "of no line"
    return None


def accept_refunds(landing: Path, orders: dict[str, Order]) -> tuple[list[Entry], dict[str, str]]:
    """Return the entries of refunds and credit notes in the order of time, and the rejected."""
    entries, rejected = [], {}
    records = winners(read_feed(landing, "refunds"), "refund_id").values()
    for refund in sorted(records, key=lambda each: (each["refunded_at"], each["refund_id"])):
        name, order = refund["refund_id"], orders.get(refund["order_id"])
        why = why_not_a_refund(refund, order)
        if why:
            rejected[name] = why
        elif order:
            entries += refund_entries(refund, order)
        else:
            day, cents = moment(refund["refunded_at"]).date(), in_cents(number(refund["amount"]))
            entries.append(
                Entry(day, "credit_note", None, None, name, refund["customer_id"], -cents, None)
            )
    return entries, rejected


def line_entries(orders: Iterable[Order]) -> Iterator[Entry]:
    """Yield the entries of the lines; a negative quantity is a return line."""
    for order in orders:
        for line in order.lines:
            yield Entry(
                order.at.date(),
                "return_line" if line.quantity < 0 else "order_line",
                order.order_id,
                line.number,
                None,
                order.customer_id,
                line.net,
                line.cost,
            )


# ---- Customers (sections 1, 4 and 6) -----------------------------------------------------------


@dataclass
class Customer:
    """What is known of one customer: the moments of each kind, and the category count."""

    known: list[Moment] = field(default_factory=list)
    activating: list[Moment] = field(default_factory=list)
    has_master_data: bool = False
    categories: set[str] = field(default_factory=set)

    @property
    def known_since(self) -> Date | None:
        """Day of the first dated event."""
        return min(self.known).date() if self.known else None

    @property
    def activated_at(self) -> Moment | None:
        """First of registration, login, verification and accepted order (L3)."""
        return min(self.activating, default=None)


def collect_customers(
    landing: Path, orders: Iterable[Order], entries: Iterable[Entry], interactions: list[Record]
) -> dict[str, Customer]:
    """Return everybody whom a dated event or a master record names (section 1)."""
    people: dict[str, Customer] = defaultdict(Customer)
    for (who,), record in winners(read_feed(landing, "customers"), "customer_id").items():
        people[who].has_master_data = True
        dated = [moment(record[name]) for name in ("registered_at", "verified_at")]
        people[who].known += filter(None, dated)
        people[who].activating += filter(None, dated)
    for order in orders:
        if order.customer_id:
            people[order.customer_id].known.append(order.at)
            people[order.customer_id].activating.append(order.at)
    for entry in entries:
        if entry.entry_type == "credit_note":
            at = Moment.combine(entry.day, datetime.time())
            people[entry.customer_id].known.append(at)
    for record in interactions:
        at = moment(record["occurred_at"])
        people[record["customer_id"]].known.append(at)
        if record["interaction_type"] in ("register", "login", "verify"):
            people[record["customer_id"]].activating.append(at)
    contacts = winners(read_feed(landing, "campaign_contacts"), "campaign_id", "customer_id")
    for record in contacts.values():
        people[record["customer_id"]].known.append(moment(record["contacted_at"]))
    return dict(people)


def accept_interactions(landing: Path) -> list[Record]:
    """Return interactions of a known type whose score is in the type's range."""
    with (SEEDS / "interaction_types.csv").open(encoding="utf-8") as file:
        types = {row["interaction_type"]: row for row in csv.DictReader(file)}

    def is_accepted(record: Record) -> bool:
        kind = types.get(record["interaction_type"])
        if kind is None or not record["customer_id"] or not is_dated(moment(record["occurred_at"])):
            return False
        low, high = kind["lowest_score"], kind["highest_score"]
        if not low:
            return True
        return bool(record["score"]) and number(low) <= number(record["score"]) <= number(high)

    records = winners(read_feed(landing, "interactions"), "interaction_id").values()
    return [record for record in records if is_accepted(record)]


def margin_of(entries: list[Entry]) -> tuple[int | None, Fraction | None]:
    """Return margin and margin rate of the entries of one window (section 2).

    Margin is of the entries with a cost only; under 95% of the net revenue, or without any, there
    is no rate.
    """
    covered = [entry for entry in entries if entry.cost is not None]
    net, covered_net = (sum(entry.net for entry in each) for each in (entries, covered))
    margin = sum(entry.net - entry.cost for entry in covered)
    if not covered:
        return None, None
    has_rate = net > 0 and covered_net >= COVERAGE * net and covered_net > 0
    return margin, Fraction(margin, covered_net) if has_rate else None


def group_by_customer(items: Iterable[T], who: Callable[[T], str]) -> dict[str, list[T]]:
    """Return the items of each customer, guests left out."""
    groups: dict[str, list[T]] = defaultdict(list)
    for item in items:
        if who(item):
            groups[who(item)].append(item)
    return groups


def measure(orders: list[Order], entries: list[Entry], as_of: Date) -> Measures:
    """Measure one customer by counted orders and ledger entries (sections 3 and 4)."""
    days = [order.at.date() for order in orders if order.is_counted(as_of)]
    year = [entry for entry in entries if is_within(entry.day, as_of, YEAR_DAYS)]
    margin, rate = margin_of(year)
    return Measures(
        last_order=max(days, default=None),
        frequency=sum(is_within(day, as_of, LOOK_BACK_DAYS) for day in days),
        monetary=sum(e.net for e in entries if is_within(e.day, as_of, LOOK_BACK_DAYS)),
        net_revenue_12m=sum(entry.net for entry in year),
        orders_12m=sum(is_within(day, as_of, YEAR_DAYS) for day in days),
        margin_12m=margin,
        margin_rate_12m=rate,
    )


def add_categories(
    people: dict[str, Customer], orders: Iterable[Order], products: dict[str, Record], as_of: Date
) -> None:
    """Add the categories of lines with a positive quantity, counted orders of 12 months (V11)."""
    for order in orders:
        if (
            order.customer_id
            and order.is_counted(as_of)
            and is_within(order.at.date(), as_of, YEAR_DAYS)
        ):
            bought = (products.get(line.product_id) for line in order.lines if line.quantity > 0)
            people[order.customer_id].categories |= {
                product["category"] for product in bought if product and product["category"]
            }


@dataclass(frozen=True)
class Shop:
    """Everything that the landing files of the shop say.

    Attributes:
        orders: accepted orders by id, with voids and what was refunded.
        rejected: (feed, id) -> reason, of orders and refunds.
        ledger: signed entries.
        interactions: accepted ones, as delivered.
        as_of: day of the newest accepted fact (order, refund, interaction).
        customers: who exists at `as_of`.
        measures: of each of them.
    """

    orders: dict[str, Order]
    rejected: dict[tuple[str, str], str]
    ledger: list[Entry]
    interactions: list[Record]
    as_of: Date
    customers: dict[str, Customer]
    measures: dict[str, Measures]


def compute(landing: Path) -> Shop:
    """Read the landing files and compute everything that the tests compare."""
    products = {
        name: record
        for (name,), record in winners(read_feed(landing, "products"), "product_id").items()
    }
    costs = {
        name: number(each["unit_cost"]) for name, each in products.items() if each["unit_cost"]
    }
    orders, rejected_orders = accept_orders(landing, costs)
    refunds, rejected_refunds = accept_refunds(landing, orders)
    ledger = [*line_entries(orders.values()), *refunds]
    interactions = accept_interactions(landing)
    as_of = max(
        *(order.at.date() for order in orders.values()),
        *(entry.day for entry in refunds),
        *(moment(record["occurred_at"]).date() for record in interactions),
    )
    people = {
        who: customer
        for who, customer in collect_customers(
            landing, orders.values(), refunds, interactions
        ).items()
        if customer.known_since is None or customer.known_since <= as_of
    }
    add_categories(people, orders.values(), products, as_of)
    own_orders = group_by_customer(orders.values(), lambda order: order.customer_id)
    own_entries = group_by_customer(ledger, lambda entry: entry.customer_id)
    return Shop(
        orders=orders,
        rejected={("orders", name): why for name, why in rejected_orders.items()}
        | {("refunds", name): why for name, why in rejected_refunds.items()},
        ledger=ledger,
        interactions=interactions,
        as_of=as_of,
        customers=people,
        measures={
            who: measure(own_orders.get(who, []), own_entries.get(who, []), as_of) for who in people
        },
    )
