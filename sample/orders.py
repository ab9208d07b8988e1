"""Orders, their lines, refunds and late corrections. Money is counted in whole cents throughout."""

from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from sample import catalogue
from sample.behaviour import Calendar, Population, Purchases
from sample.catalogue import PRICE_STEP, PRODUCTS_PER_CATEGORY, Catalogue
from sample.customers import DAY, Traits, customer_ids, draw_categories
from sample.files import decimals, identifiers, join, pick, timestamps

CNY_PER_USD = 7.0
ORDER_STRIDE = 10_000_000  # order numbers kept free for one block of customers
GUEST, TEST = -1, -2  # owners that are no customer
STATUSES = ("completed", "pending", "cancelled", "test")
COMPLETED, PENDING, CANCELLED, TESTING = range(4)
CHANNELS = ("offline", "online")
MOST_LINES = 5
# Orders beside those of the planted process, as shares of it.
CANCELLED_SHARE, GUEST_SHARE, TEST_SHARE = 0.022, 0.02, 0.0015
PENDING_DAYS = 3
REFUND_SHARE, CREDIT_NOTE_SHARE, RETURN_LINE_SHARE = 0.031, 0.002, 0.006
CORRECTED_SHARE = 0.015
COST_FOLLOWS = 0.6  # costs rise by this part of a rise of list prices


@dataclass(frozen=True)
class Orders:
    """The orders of one block by time, shape (orders,) each; money in cents of `is_usd`.

    Attributes:
        owner: index of the customer, GUEST or TEST.
        kind: customer type that the order behaves like.
        second: when, seconds since the first day.
        status: index into STATUSES.
        online: placed online.
        is_usd: in US dollars.
        value: CNY aimed at.
        discount, tax, shipping: amounts on the order.
        updated: when the revision was written, seconds since the first day.
        first_line: position of the first line.
        line_count: number of lines.
        has_return: the last line is a return line.
        net: lines after discounts, without tax and shipping.
    """

    owner: np.ndarray
    kind: np.ndarray
    second: np.ndarray
    status: np.ndarray
    online: np.ndarray
    is_usd: np.ndarray
    value: np.ndarray
    discount: np.ndarray
    tax: np.ndarray
    shipping: np.ndarray
    updated: np.ndarray
    first_line: np.ndarray
    line_count: np.ndarray
    has_return: np.ndarray
    net: np.ndarray

    def __len__(self) -> int:
        """Return the number of orders."""
        return len(self.owner)


@dataclass(frozen=True)
class Lines:
    """The lines of one block's orders, shape (lines,) each, in the order's currency.

    Attributes:
        order: position of the order.
        number: line number from 1.
        product: index of the product.
        quantity: pieces, negative on a return line.
        price: of one, cents.
        discount: on the line, cents.
        cost: of one, 1/10,000 of the currency, -1 where not delivered.
    """

    order: np.ndarray
    number: np.ndarray
    product: np.ndarray
    quantity: np.ndarray
    price: np.ndarray
    discount: np.ndarray
    cost: np.ndarray

    @property
    def net(self) -> np.ndarray:
        """Return quantity x price - discount in cents, before any share of the order's discount."""
        return self.quantity * self.price - self.discount


@dataclass(frozen=True)
class Refunds:
    """Refunds and credit notes of one block by time, shape (refunds,) each.

    Attributes:
        order: position of the order, -1 for a credit note.
        line: line number, -1 where the whole order is meant.
        owner: index of the customer, GUEST for a guest's.
        second: when, seconds since the first day.
        amount: cents of the order's currency.
        quantity: pieces that came back, 0 where none are named.
        source: position of the order that gave rise to it, also for a credit note.
    """

    order: np.ndarray
    line: np.ndarray
    owner: np.ndarray
    second: np.ndarray
    amount: np.ndarray
    quantity: np.ndarray
    source: np.ndarray


def build_orders(
    rng: np.random.Generator,
    calendar: Calendar,
    shelf: Catalogue,
    population: Population,
    traits: Traits,
    purchases: Purchases,
) -> tuple[Orders, Lines]:
    """Turn planted purchases into orders with lines, and add what is no purchase of a customer.

    Cancelled, pending, test and guest orders come on top: the completed orders with a customer
    are exactly the planted ones.
    """
    owner, kind, day, status, value = _with_others(rng, calendar, population, purchases)
    size = len(owner)
    clock = np.where(
        kind == 1,
        rng.triangular(7.5, 10.5, 19.0, size),
        rng.triangular(7.0, 20.0, 23.9, size),
    )
    second = day * DAY + (clock * 3600).astype(np.int64)
    by_time = np.argsort(second, kind="stable")
    owner, kind, status, value, second = (
        part[by_time] for part in (owner, kind, status, value, second)
    )
    is_customer = owner >= 0
    online = rng.random(size) < np.where(is_customer, traits.online[owner], 0.8)
    is_usd = is_customer & traits.pays_usd[owner]
    discount = _order_discounts(rng, value, status, is_usd)
    in_cny = np.where(is_usd, discount * CNY_PER_USD, discount) / 100
    lines, has_return = _build_lines(
        rng,
        calendar,
        shelf,
        traits,
        owner,
        kind,
        second // DAY,
        status,
        is_usd,
        discount,
        value + in_cny,
    )
    first_line = np.searchsorted(lines.order, np.arange(size))
    gross = _sum_by_order(lines.net, first_line)
    # A coupon never takes most of an order.
    discount = np.where(gross > 2 * discount, discount, 0)
    net = gross - discount
    delivery = np.where(value < 99, rng.choice([800, 1200, 1500], size), 0)
    shipping = np.where(online & (kind == 0), delivery, 0)
    finished = second + rng.integers(600, 72 * 3600, size)
    return (
        Orders(
            owner=owner,
            kind=kind,
            second=second,
            status=status,
            online=online,
            is_usd=is_usd,
            value=value,
            discount=discount,
            tax=np.where(is_usd, 0, np.rint(net * 0.13)).astype(np.int64),
            shipping=shipping,
            updated=np.minimum(
                np.where(status == PENDING, second, finished), calendar.days * DAY - 1
            ),
            first_line=first_line,
            line_count=np.diff(np.append(first_line, len(lines.order))),
            has_return=has_return,
            net=net,
        ),
        lines,
    )


def _with_others(
    rng: np.random.Generator, calendar: Calendar, population: Population, purchases: Purchases
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return owner, kind, day, status and value of the purchases and of all other orders."""
    size = len(purchases.owner)
    kind = population.kind[purchases.owner]

    def copies(share: float) -> np.ndarray:
        return np.flatnonzero(rng.random(size) < share)

    planted = (purchases.owner, kind, purchases.day, np.full(size, COMPLETED), purchases.value)
    rows = copies(CANCELLED_SHARE)
    day = purchases.day[rows] + rng.integers(0, 20, len(rows))
    rows, day = rows[day < calendar.days], day[day < calendar.days]
    cancelled = (
        purchases.owner[rows],
        kind[rows],
        day,
        np.full(len(rows), CANCELLED),
        purchases.value[rows] * rng.uniform(0.5, 1.5, len(rows)),
    )
    rows = copies(min(1.0, 2.0 / calendar.days))
    day = calendar.days - 1 - rng.integers(0, min(PENDING_DAYS, calendar.days), len(rows))
    # Only a customer already there, and not gone, has an order under way.
    fits = (population.acquired[purchases.owner[rows]] < day) & (
        population.gone[purchases.owner[rows]] >= day
    )
    rows, day = rows[fits], day[fits]
    pending = (
        purchases.owner[rows],
        kind[rows],
        day,
        np.full(len(rows), PENDING),
        purchases.value[rows],
    )
    rows = copies(GUEST_SHARE)
    guests = (
        np.full(len(rows), GUEST),
        np.zeros(len(rows), np.int64),
        purchases.day[rows],
        np.full(len(rows), COMPLETED),
        rng.gamma(1.8, 200.0, len(rows)) + 15,
    )
    rows = copies(TEST_SHARE)
    tests = (
        np.full(len(rows), TEST),
        np.zeros(len(rows), np.int64),
        purchases.day[rows],
        np.full(len(rows), TESTING),
        rng.uniform(10.0, 200.0, len(rows)),
    )
    parts = (planted, cancelled, pending, guests, tests)
    owner, kind, day, status, value = (
        np.concatenate([part[i] for part in parts]) for i in range(5)
    )
    return owner, kind, day, status, value


def _order_discounts(
    rng: np.random.Generator, value: np.ndarray, status: np.ndarray, is_usd: np.ndarray
) -> np.ndarray:
    """Draw coupons on whole orders, in cents of the order's currency."""
    level = np.searchsorted([200.0, 500.0, 2000.0], value)
    cny, usd = np.array([0, 1000, 3000, 10_000]), np.array([0, 200, 500, 1500])
    has_one = (rng.random(len(value)) < 0.08) & (status == COMPLETED)
    return np.where(has_one, np.where(is_usd, usd[level], cny[level]), 0)


def _build_lines(
    rng: np.random.Generator,
    calendar: Calendar,
    shelf: Catalogue,
    traits: Traits,
    owner: np.ndarray,
    kind: np.ndarray,
    day: np.ndarray,
    status: np.ndarray,
    is_usd: np.ndarray,
    discount: np.ndarray,
    value: np.ndarray,
) -> tuple[Lines, np.ndarray]:
    """Choose products whose prices add up to about `value` (CNY), and say which orders return one.

    Each line aims at its share of the order plus what the lines before it missed. Lines are filled
    slot by slot, all orders at once.
    """
    size = len(owner)
    count = 1 + rng.binomial(MOST_LINES - 1, np.where(kind == 1, 0.42, 0.28))
    count = np.minimum(count, 1 + (value / 60).astype(np.int64))
    has_return = (
        (rng.random(size) < RETURN_LINE_SHARE)
        & (status == COMPLETED)
        & (count >= 2)
        & (discount == 0)
    )
    starts = np.cumsum(count + has_return) - (count + has_return)
    total = int((count + has_return).sum())
    product, quantity, price, line_discount, cost = (np.zeros(total, np.int64) for _ in range(5))
    share = rng.standard_exponential((size, MOST_LINES)) + 0.35
    share *= np.arange(MOST_LINES) < count[:, None]
    share /= share.sum(axis=1, keepdims=True)
    missed = np.zeros(size)
    in_order = np.full((size, MOST_LINES), -1)
    level = calendar.price_level()
    for slot in range(MOST_LINES):
        rows = np.flatnonzero(count > slot)
        who, of_type = owner[rows], kind[rows]
        seeking = np.where(who >= 0, traits.discount_seeking[who], 0.5)
        has_discount = rng.random(len(rows)) < 0.12 * seeking
        has_discount &= ~(has_return[rows] & (slot == 0))
        rate = np.where(has_discount, rng.choice([0.05, 0.10, 0.15], len(rows)), 0.0)
        target = np.maximum(share[rows, slot] * value[rows] + missed[rows], 8.0)
        chosen = _choose_products(rng, traits, who, of_type, target / (1 - rate) / level[day[rows]])
        chosen = _differ(chosen, in_order[rows, :slot])
        in_order[rows, slot] = chosen
        listed = shelf.price[chosen] * level[day[rows]]
        pieces = np.maximum(1, np.rint(target * 100 / (1 - rate) / listed))
        # Prices are bargained within 5%, in steps of 1%.
        factor = np.clip(target * 100 / (1 - rate) / (pieces * listed), 0.95, 1.05)
        fen = np.rint(listed * np.rint(factor * 100) / 100)
        paid = np.where(is_usd[rows], np.maximum(1, np.rint(fen / CNY_PER_USD)), fen)
        off = np.rint(pieces * paid * rate / 10) * 10
        bought = shelf.cost[chosen] * (1 + COST_FOLLOWS * (level[day[rows]] - 1))
        bought = np.rint(bought * rng.uniform(0.97, 1.03, len(rows)) / 100) * 100
        bought = np.where(is_usd[rows], np.rint(bought / CNY_PER_USD), bought)
        missed[rows] = target - pieces * fen * (1 - rate) / 100
        at = starts[rows] + slot
        product[at], quantity[at], price[at] = chosen, pieces, paid
        line_discount[at] = off
        cost[at] = np.where(rng.random(len(rows)) < 0.12, -1, bought)
    # One piece of the first line comes back with the order.
    given = starts[has_return]
    taken = given + count[has_return]
    product[taken], price[taken], cost[taken] = product[given], price[given], cost[given]
    quantity[taken] = -1
    position = np.repeat(np.arange(size), count + has_return)
    return (
        Lines(
            order=position,
            number=np.arange(total) - starts[position] + 1,
            product=product,
            quantity=quantity,
            price=price,
            discount=line_discount,
            cost=cost,
        ),
        has_return,
    )


def _choose_products(
    rng: np.random.Generator,
    traits: Traits,
    owner: np.ndarray,
    kind: np.ndarray,
    target: np.ndarray,
) -> np.ndarray:
    """Choose a product a line: often of a favourite category, about as dear as the target."""
    size = len(owner)
    category = draw_categories(rng, kind)
    habit = np.where(owner >= 0, rng.random(size), 1.0)
    category = np.where(habit < 0.5, traits.favourite[owner], category)
    category = np.where((habit >= 0.5) & (habit < 0.72), traits.second[owner], category)
    lowest = np.array([each.lowest_price for each in catalogue.CATEGORIES])[category]
    # The nearest rung of the price ladder, so that one piece misses the target evenly.
    dearest = np.rint(np.log(target / lowest) / np.log(PRICE_STEP))
    dearest = np.clip(dearest, 0, PRODUCTS_PER_CATEGORY - 1).astype(np.int64)
    # Businesses buy more pieces of cheaper products.
    down = rng.exponential(np.where(kind == 1, 4.0, 1.4)).astype(np.int64)
    step = np.maximum(dearest - down, 0)
    wants_premium = rng.random(size) < np.where(owner >= 0, traits.premium[owner], 0.4)
    other_grade = (step % 2) != wants_premium
    step += np.where(other_grade, rng.choice([-1, 1], size), 0)
    step = np.where(step < 0, 1, np.where(step >= PRODUCTS_PER_CATEGORY, step - 2, step))
    return category * PRODUCTS_PER_CATEGORY + step


def _differ(chosen: np.ndarray, before: np.ndarray) -> np.ndarray:
    """Replace products that the order holds already, `before` of shape (n, slots so far).

    Down the price ladder by one article of the same grade, at its foot over to the next category:
    a walk that meets each product once, so it ends within as many steps as there are slots.
    """
    for _ in range(before.shape[1]):
        repeated = (before == chosen[:, None]).any(axis=1)
        at_foot = chosen % PRODUCTS_PER_CATEGORY < 2
        other = np.where(at_foot, chosen + PRODUCTS_PER_CATEGORY, chosen - 2)
        other %= PRODUCTS_PER_CATEGORY * len(catalogue.CATEGORIES)
        chosen = np.where(repeated, other, chosen)
    return chosen


def _sum_by_order(amounts: np.ndarray, first_line: np.ndarray) -> np.ndarray:
    return np.add.reduceat(amounts, first_line) if len(first_line) else np.zeros(0, np.int64)


def build_refunds(
    rng: np.random.Generator, calendar: Calendar, orders: Orders, lines: Lines
) -> Refunds:
    """Refund some completed orders: whole, a whole line, some pieces or plain money.

    A whole order or line is paid back to the cent as the warehouse values it, so such orders have
    no coupon to share over several lines and no several lines to convert from dollars.
    """
    chosen = np.flatnonzero((orders.status == COMPLETED) & (rng.random(len(orders)) < REFUND_SHARE))
    size = len(chosen)
    count, net = orders.line_count[chosen], orders.net[chosen]
    is_single = count == 1
    plain = ((orders.discount[chosen] == 0) | is_single) & ~orders.has_return[chosen]
    number = 1 + (rng.random(size) * count).astype(np.int64)
    line = orders.first_line[chosen] + number - 1
    # On a single line the order's discount is the line's.
    line_net = np.where(is_single, net, lines.net[line])
    pieces = lines.quantity[line]
    wish = rng.random(size)
    whole_order = (wish < 0.35) & plain & (~orders.is_usd[chosen] | is_single)
    some_pieces = (wish >= 0.35) & (wish < 0.58) & plain & (pieces >= 2)
    whole_line = (wish >= 0.35) & (wish < 0.80) & plain & ~some_pieces
    back = np.where(some_pieces, 1 + (rng.random(size) * (pieces - 1)).astype(np.int64), 0)
    money = np.maximum(1, (net * rng.uniform(0.05, 0.3, size)).astype(np.int64))
    amount = np.select(
        [whole_order, whole_line, some_pieces],
        [net, line_net, line_net * back // np.maximum(pieces, 1)],
        money,
    )
    days = np.minimum(rng.lognormal(1.8, 0.8, size), 60.0)
    second = orders.second[chosen] + (days * DAY).astype(np.int64) + 3600
    notes = np.flatnonzero(
        (orders.status == COMPLETED)
        & (orders.owner >= 0)
        & ~orders.is_usd
        & (rng.random(len(orders)) < CREDIT_NOTE_SHARE)
    )
    note_amount = np.maximum(1, (orders.net[notes] * 0.05).astype(np.int64) // 100 * 100)
    note_second = orders.second[notes] + rng.integers(5 * DAY, 60 * DAY, len(notes))
    none = np.full(len(notes), -1)
    parts = (
        (chosen, none),
        (np.where(whole_line | some_pieces, number, -1), none),
        (orders.owner[chosen], orders.owner[notes]),
        (second, note_second),
        (amount, note_amount),
        (np.where(whole_line, pieces, back), np.zeros(len(notes), np.int64)),
        (chosen, notes),
    )
    everything = [np.concatenate(part) for part in parts]
    in_time = (everything[3] < calendar.days * DAY) & (everything[4] > 0)
    by_time = np.flatnonzero(in_time)[np.argsort(everything[3][in_time], kind="stable")]
    return Refunds(*(part[by_time] for part in everything))


def build_corrections(
    rng: np.random.Generator,
    calendar: Calendar,
    orders: Orders,
    lines: Lines,
    refunded: np.ndarray,
) -> tuple[Orders, Lines, np.ndarray]:
    """Return newer revisions of some orders of the second-last month, with all their lines.

    Orders in `refunded` (positions) stay as they are, so that no refund exceeds its order.

    Returns:
        The corrected orders and lines, and the positions that the orders had.
    """
    chosen = _orders_to_correct(rng, calendar, orders, refunded)
    count = orders.line_count[chosen]
    starts = np.cumsum(count) - count
    rows = np.repeat(orders.first_line[chosen] - starts, count) + np.arange(count.sum())
    few = Lines(**{name: part[rows] for name, part in vars(lines).items()})
    # One in three: a lower price, one piece more, a shipping charge that was missing.
    what = rng.integers(0, 3, len(chosen))
    cheaper, more = starts[what == 0], starts[what == 1]
    price, quantity = few.price.copy(), few.quantity.copy()
    price[cheaper] = np.maximum(1, np.rint(price[cheaper] * 0.95).astype(np.int64))
    quantity[more] += 1
    few = replace(
        few, order=np.repeat(np.arange(len(chosen)), count), price=price, quantity=quantity
    )
    old = Orders(**{name: part[chosen] for name, part in vars(orders).items()})
    net = _sum_by_order(few.net, starts) - old.discount
    later = old.updated + rng.integers(5 * DAY, 25 * DAY, len(chosen))
    return (
        replace(
            old,
            net=net,
            first_line=starts,
            tax=np.where(old.is_usd, 0, np.rint(net * 0.13)).astype(np.int64),
            shipping=np.where(what == 2, old.shipping + 1200, old.shipping),
            updated=np.minimum(later, calendar.days * DAY - 1),
        ),
        few,
        chosen,
    )


def _orders_to_correct(
    rng: np.random.Generator, calendar: Calendar, orders: Orders, refunded: np.ndarray
) -> np.ndarray:
    if len(calendar.month_starts) < 3:
        return np.empty(0, np.int64)
    first, last = calendar.month_starts[-3] * DAY, calendar.month_starts[-2] * DAY
    may = (orders.second >= first) & (orders.second < last) & (orders.status == COMPLETED)
    may &= (orders.discount == 0) & ~orders.has_return
    may &= orders.updated < calendar.days * DAY - 2
    may[refunded[refunded >= 0]] = False
    candidates = np.flatnonzero(may)
    wanted = int(np.ceil(CORRECTED_SHARE * len(candidates)))
    return np.sort(rng.choice(candidates, wanted, replace=False))


def order_ids(numbers: np.ndarray) -> pa.Array:
    """Return order ids from running numbers (from 0), null where negative."""
    return identifiers("SO", np.asarray(numbers) + 1, 8, np.asarray(numbers) >= 0)


def product_ids(products: np.ndarray) -> pa.Array:
    """Return product ids from product indices."""
    return identifiers("P", np.asarray(products) + 1, 4)


def owner_ids(owner: np.ndarray, first_number: int) -> pa.Array:
    """Return customer ids of owners; null for a guest, `TEST` for the shop's own test orders."""
    known = customer_ids(np.where(owner >= 0, first_number + owner, -1))
    if not (owner == TEST).any():
        return known
    return pa.compute.if_else(pa.array(owner == TEST), "TEST", known)


def orders_table(
    orders: Orders, calendar: Calendar, ids: pa.Array, first_number: int, blank: np.ndarray
) -> pa.Table:
    """Return the orders feed; the currency is left empty where `blank` and in CNY."""
    zero = calendar.epoch * DAY
    currency = np.where(orders.is_usd, 1, np.where(blank, -1, 0))
    return pa.table(
        {
            "order_id": ids,
            "customer_id": owner_ids(orders.owner, first_number),
            "ordered_at": timestamps(zero + orders.second),
            "status": pick(STATUSES, orders.status),
            "channel": pick(CHANNELS, orders.online),
            "currency": pick(("CNY", "USD"), currency),
            "discount_amount": decimals(orders.discount, 2, orders.discount > 0),
            "tax_amount": decimals(orders.tax, 2),
            "shipping_amount": decimals(orders.shipping, 2),
            "updated_at": timestamps(zero + orders.updated),
        }
    )


def lines_table(lines: Lines, orders: Orders, calendar: Calendar, ids: pa.Array) -> pa.Table:
    """Return the order_lines feed; a line carries its order's `updated_at`."""
    products = product_ids(np.arange(len(catalogue.CATEGORIES) * PRODUCTS_PER_CATEGORY))
    return pa.table(
        {
            "order_id": ids.take(pa.array(lines.order)),
            "line_number": pa.array(lines.number),
            "product_id": pick(products, lines.product),
            "quantity": decimals(lines.quantity, 0),
            "unit_price": decimals(lines.price, 2),
            "discount_amount": decimals(lines.discount, 2, lines.discount > 0),
            "unit_cost": decimals(lines.cost, 4, lines.cost >= 0),
            "updated_at": timestamps(calendar.epoch * DAY + orders.updated[lines.order]),
        }
    )


def refunds_table(
    rng: np.random.Generator,
    refunds: Refunds,
    calendar: Calendar,
    ids: pa.Array,
    first_order: int,
    first_number: int,
) -> pa.Table:
    """Return the refunds feed; a credit note has a customer and no order."""
    is_note = refunds.order < 0
    numbers = first_order + refunds.source + 1
    zero = calendar.epoch * DAY
    return pa.table(
        {
            "refund_id": join(pick(("RF", "CN"), is_note), identifiers("", numbers, 8)),
            "order_id": pick(ids, refunds.order),
            "line_number": pa.array(refunds.line, mask=refunds.line < 0),
            "customer_id": owner_ids(refunds.owner, first_number),
            "refunded_at": timestamps(zero + refunds.second),
            "amount": decimals(refunds.amount, 2),
            "quantity": decimals(refunds.quantity, 0, refunds.quantity > 0),
            "reason": pick(
                catalogue.REFUND_REASONS,
                np.where(is_note, 5, rng.integers(0, 6, len(is_note))),
            ),
            "updated_at": timestamps(zero + refunds.second),
        }
    )


def products_table(shelf: Catalogue, calendar: Calendar) -> pa.Table:
    """Return the products feed with the newest cost; costs follow list prices in part."""
    size = len(shelf.price)
    of_category = np.arange(size) // PRODUCTS_PER_CATEGORY
    prices = calendar.price_level()
    level = 1 + COST_FOLLOWS * (prices[-1] - 1)
    newest = int(np.searchsorted(prices, prices[-1]))
    return pa.table(
        {
            "product_id": product_ids(np.arange(size)),
            "product_name": pa.array(shelf.names, pa.string()),
            "category": pick([each.name for each in catalogue.CATEGORIES], of_category),
            "product_kind": pick([each.kind for each in catalogue.CATEGORIES], of_category),
            "price_tier": pick(("value", "premium"), shelf.premium),
            "unit_cost": decimals(np.rint(shelf.cost * level / 100).astype(np.int64), 2),
            "updated_at": timestamps(np.full(size, (calendar.epoch + newest) * DAY)),
        }
    )
