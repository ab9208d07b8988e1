"""Does a grocer's year go through as delivered: every basket, every household, every cent?

The anchors are facts of the published data set; the sums of each basket are read from the raw file.
What is computed for its households is compared in `test_customers_by_hand`.
"""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from tests.shops import SHARED_DATA
from tests.warehouse.complete_journey import (
    BASKETS,
    CAMPAIGNS,
    CONTACTS,
    HOUSEHOLDS,
    LINES,
    SALES,
    Basket,
    deliver_complete_journey,
    read_baskets,
)
from tests.warehouse.online_retail_by_hand import differences, published

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def warehouse(complete_journey) -> Iterator[duckdb.DuckDBPyConnection]:
    with complete_journey.connect() as connection:
        yield connection


@pytest.fixture(scope="module")
def baskets(complete_journey) -> list[Basket]:
    return read_baskets(SHARED_DATA / "complete_journey")


def one_row(connection: duckdb.DuckDBPyConnection, query: str) -> tuple:
    return connection.execute(query).fetchone()


def test_the_reader_itself_reproduces_the_known_facts(baskets):
    assert len(baskets) == BASKETS
    assert len({basket.household_id for basket in baskets}) == HOUSEHOLDS
    assert sum(basket.net for basket in baskets) == SALES


def test_every_delivered_line_is_its_sales_value_to_the_cent(tmp_path):
    """Also where petrol is counted in tens of thousands of units, or pieces are none."""
    folder: Path = SHARED_DATA / "complete_journey"
    if not folder.exists():
        pytest.skip(f"the real Complete Journey data are not at {folder}")
    deliver_complete_journey(folder, tmp_path)
    query = """
        select {key}, cast(product_id as varchar), {cents} from '{file}' order by all
    """
    with duckdb.connect(":memory:") as connection:
        delivered, raw = (
            connection.execute(query.format(key=key, cents=cents, file=file)).fetchnumpy()
            for key, cents, file in (
                (
                    "order_id",
                    "100 * (quantity * unit_price - discount_amount) as cents",
                    tmp_path / "shop" / "order_lines" / "order_lines.parquet",
                ),
                (
                    "cast(basket_id as varchar) as order_id",
                    "cast(cast(sales_value as decimal(18, 2)) * 100 as bigint) as cents",
                    folder / "transactions.parquet",
                ),
            )
        )
    assert len(delivered["cents"]) == LINES
    for name in raw:
        assert (delivered[name] == raw[name]).all(), name


def test_every_record_landed_and_none_was_set_aside(warehouse):
    landed = dict(
        warehouse.execute("""
            select feed, sum(rows_landed)::bigint from deliveries
            where records_counted = rows_landed and rows_quarantined = 0 group by all
        """).fetchall()
    )
    assert landed["campaign_contacts"] == CONTACTS
    assert landed["campaigns"] == CAMPAIGNS
    assert landed["orders"] == BASKETS
    assert landed["order_lines"] == LINES
    assert landed["customers"] == HOUSEHOLDS
    assert one_row(warehouse, "select count(*) from rejected_rows") == (0,)


def test_sales_baskets_and_households_are_the_published_ones(warehouse):
    sales = "select (sum(net_amount) * 100)::bigint, count(*) from sales_ledger"
    assert one_row(warehouse, sales) == (SALES, LINES)
    orders = "select count(*), count(distinct customer_id) from orders where voided_on is null"
    assert one_row(warehouse, orders) == (BASKETS, HOUSEHOLDS)
    customers = "select count(*), count(distinct customer_id) from customers"
    assert one_row(warehouse, customers) == (HOUSEHOLDS, HOUSEHOLDS)
    others = "entry_type <> 'order_line' or cost_amount is not null"
    assert one_row(warehouse, f"select count(*) from sales_ledger where {others}") == (0,)


def test_every_basket_has_its_household_moment_and_money(baskets, warehouse):
    mine = {
        f"shop:{basket.basket_id}": {
            "customer_id": f"shop:{basket.household_id}",
            "ordered_at": basket.at,
            "order_date": basket.at.date(),
            "net_amount": basket.net,
            "currency": "CNY",
            "is_countable": basket.net > 0,
        }
        for basket in baskets
    }
    columns = next(iter(mine.values()))
    assert not differences(mine, published(warehouse, "orders", "order_id", *columns))


def test_every_reconciliation_is_to_the_cent(warehouse):
    assert not warehouse.execute("""
        select mart, measure, difference from reconciliation where difference is distinct from 0
    """).fetchall()
