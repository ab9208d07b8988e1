"""Would an outsider get the same numbers from the sample shop?

Each test compares the published tables with `shop_by_hand`, which shares no code with the models or
the generator. The shop has what Online Retail II has not: revisions, discounts on orders, other
currencies, costs, refunds of every kind, interactions and master data.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator

import duckdb
import pytest

from tests.warehouse import online_retail_by_hand, shop_by_hand
from tests.warehouse.online_retail_by_hand import differences, published
from tests.warehouse.shop_by_hand import Shop


@pytest.fixture(scope="module")
def computed(sample_shop) -> Shop:
    return shop_by_hand.compute(sample_shop.landing)


@pytest.fixture(scope="module")
def warehouse(sample_shop) -> Iterator[duckdb.DuckDBPyConnection]:
    with sample_shop.connect() as connection:
        yield connection


def in_shop(name: str | None) -> str | None:
    """Return the warehouse's id of something in the shop."""
    return f"shop:{name}" if name else None


def by_shop_id(rows: dict[str, dict[str, object]]) -> dict[str, dict[str, object]]:
    return {f"shop:{name}": row for name, row in rows.items()}


def test_the_sample_holds_what_it_is_meant_to_test(computed, sample_shop):
    """A comparison proves nothing about a rule that no row of the sample meets."""
    kinds = Counter(entry.entry_type for entry in computed.ledger)
    assert set(kinds) == {"order_line", "return_line", "refund", "credit_note"}
    assert {"cancelled", "test"} <= set(computed.rejected.values())
    orders = computed.orders.values()
    assert any(order.rate != 1 for order in orders)
    assert any(order.voided_on for order in orders)
    assert any(line.cost is None for order in orders for line in order.lines) or all(
        line.cost for order in orders for line in order.lines
    )
    corrected = shop_by_hand.read_feed(sample_shop.landing, "orders")
    assert len(corrected) > len({each.record["order_id"] for each in corrected})


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
            "customer_id": in_shop(order.customer_id), "ordered_at": order.at,
            "order_date": order.at.date(), "net_amount": order.net,
            "margin_amount": order.margin, "voided_on": order.voided_on,
            "is_countable": order.net > 0,
        }
        for name, order in computed.orders.items()
    }
    columns = next(iter(mine.values()))
    assert not differences(by_shop_id(mine), published(warehouse, "orders", "order_id", *columns))


def test_every_line_has_its_net_amount_and_cost(computed, warehouse):
    mine = {
        f"{name}:{line.number}": {
            "product_id": in_shop(line.product_id), "quantity": line.quantity,
            "net_amount": line.net, "cost_amount": line.cost,
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
            "entry_type": entry.entry_type, "order_id": in_shop(entry.order_id),
            "customer_id": in_shop(entry.customer_id), "ledger_date": entry.day,
            "cents": entry.net, "cost": entry.cost,
        }
        for entry in computed.ledger
        if entry.refund_id
    }
    cursor = warehouse.execute("""
        select refund_id, line_number, entry_type, order_id, customer_id, ledger_date,
            (net_amount * 100)::bigint as cents, (cost_amount * 100)::bigint as cost
        from sales_ledger where refund_id is not null
    """)
    columns = [each[0] for each in cursor.description[2:]]
    found = {row[:2]: dict(zip(columns, row[2:], strict=True)) for row in cursor.fetchall()}
    assert not differences(mine, found)


def test_the_ledger_adds_up_to_the_same_totals_by_type(computed, warehouse):
    mine: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    for entry in computed.ledger:
        for place, value in enumerate((1, entry.net, entry.cost or 0)):
            mine[entry.entry_type][place] += value
    found = warehouse.execute("""
        select entry_type, count(*), (sum(net_amount) * 100)::bigint,
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
            "known_since": customer.known_since, "activated_at": customer.activated_at,
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
