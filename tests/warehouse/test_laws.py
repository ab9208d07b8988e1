"""The laws of time: what comes later changes nothing, and how files arrive changes nothing."""

import shutil
from datetime import date
from pathlib import Path

import duckdb
import pytest

from sample.generate import generate
from tests.shops import Warehouse, quick_run

CUT = date(2026, 4, 30)
END = date(2026, 5, 31)
# The day of a fact, by feed; a feed that is not listed is delivered whole.
DAYS = {
    "orders": "ordered_at",
    "refunds": "refunded_at",
    "interactions": "occurred_at",
    "campaign_contacts": "contacted_at",
}
# What stands on customers, without the columns that say when and by which delivery.
MARTS = (
    "customers",
    "orders",
    "order_lines",
    "refunds",
    "interactions",
    "sales_ledger",
    "products",
    "customer_rfm",
    "customer_value",
    "customer_clv",
    "clv_parameters",
    "clv_model_card",
    "customer_profiles",
    "customer_clusters",
    "cluster_quality",
    "customer_segments",
    "segment_summary",
    "revenue_concentration",
    "cohort_retention",
    "segment_performance",
    "segment_separation",
    "reconciliation",
)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the landing folder of a shop up to END, without late corrections."""
    made = generate(tmp_path_factory.mktemp("shop"), customers=400, months=14, seed=3, end=END)
    for file in made.landing.rglob("*corrections*"):
        file.unlink()
    return made.landing


def split(shop: Path, until: Path, later: Path) -> None:
    """Deal the shop's facts into those dated up to CUT and those after it."""
    connection = duckdb.connect()
    for feed in sorted((shop / "shop").iterdir()):
        files = str(feed / "*.csv")
        day = DAYS.get(feed.name)
        if feed.name == "order_lines":
            orders = str(shop / "shop" / "orders" / "*.csv")
            early = (
                f"order_id in (select order_id from read_csv('{orders}', all_varchar = true) "
                f"where cast(ordered_at as date) <= '{CUT}')"
            )
        else:
            early = "true" if day is None else f"cast({day} as date) <= '{CUT}'"
        for folder, condition in ((until, early), (later, f"not ({early})")):
            target = folder / "shop" / feed.name
            target.mkdir(parents=True, exist_ok=True)
            # Another name in either folder, so that both may lie in one.
            connection.execute(
                f"copy (select * from read_csv('{files}', all_varchar = true) where {condition}) "
                f"to '{target / folder.name}.csv' (header)"
            )


@pytest.fixture(scope="module")
def dealt(shop: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("dealt")
    split(shop, folder / "until", folder / "later")
    return folder / "until", folder / "later"


@pytest.fixture(scope="module")
def in_two_runs(
    dealt: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory
) -> tuple[list[tuple], Warehouse]:
    """Return the segments as of CUT after the first run, and the warehouse after the second."""
    until, later = dealt
    root = tmp_path_factory.mktemp("two_runs")
    first = segments_at_cut(quick_run(root, landing=until))
    return first, quick_run(root, landing=later)


def segments_at_cut(warehouse: Warehouse) -> list[tuple]:
    with warehouse.build() as connection:
        return [
            row
            for model in ("int_customers__segments", "int_customers__clv_formula")
            for row in connection.execute(
                f"select * exclude (is_newest) from intermediate.{model} "
                f"where as_of_date = '{CUT}' order by customer_id"
            ).fetchall()
        ]


def test_facts_dated_after_an_as_of_change_no_row_of_it(in_two_runs):
    first, warehouse = in_two_runs
    assert len(first) > 300
    assert segments_at_cut(warehouse) == first


def test_many_runs_equal_one(in_two_runs, dealt: tuple[Path, Path], tmp_path: Path):
    landing = tmp_path / "landing"
    for folder in dealt:
        shutil.copytree(folder, landing, dirs_exist_ok=True)
    at_once = quick_run(tmp_path, tested=True)
    with at_once.connect() as one, in_two_runs[1].connect() as many:
        for table in MARTS:
            query = f"select * from {table} order by all"
            assert one.execute(query).fetchall() == many.execute(query).fetchall(), table


def test_a_second_run_without_deliveries_publishes_the_same(in_two_runs, dealt):
    _, warehouse = in_two_runs
    with warehouse.connect() as connection:
        before = {
            t: connection.execute(f"select * from {t} order by all").fetchall() for t in MARTS
        }
    again = quick_run(warehouse.root, landing=dealt[1])
    with again.connect() as connection:
        for table in MARTS:
            rows = connection.execute(f"select * from {table} order by all").fetchall()
            assert rows == before[table], table
