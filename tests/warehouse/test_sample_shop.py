"""Would an outsider get the same numbers from the sample shop, and from a rough one?

Each test compares the published tables with `shop_by_hand`, which shares no code with the models or
the generator. The sample shop has what Online Retail II has not: revisions, discounts on orders,
other currencies, costs, refunds, interactions and master data. It is polite, though: in the rough
shop everything is drawn at random, so that rules meet which meet nowhere else.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator

import duckdb
import pytest

from tests.shops import Warehouse
from tests.warehouse import online_retail_by_hand, shop_by_hand
from tests.warehouse.online_retail_by_hand import differences, published
from tests.warehouse.shop_by_hand import Order, Shop


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
