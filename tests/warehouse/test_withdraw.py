"""A wrong file undone: the next run equals one that never saw it."""

from pathlib import Path

import pytest

from orchestration.home import home
from orchestration.ingest import ingest
from orchestration.publish import NotPublishable, publish
from tests.shops import Warehouse, deliver, line, order, quick_run, segments

LOGS = {"deliveries", "restatements"}


def right(landing: Path) -> None:
    deliver(
        landing, "orders", [order("o1", "anna", "2024-01-05"), order("o2", "ben", "2024-02-05")]
    )
    deliver(landing, "order_lines", [line("o1", "10.00"), line("o2", "20.00")])


def wrong(landing: Path) -> None:
    """Deliver what takes an order away, changes another's price and brings a third."""
    deliver(
        landing,
        "orders",
        [order("o1", "anna", "2024-01-05", status="cancelled"), order("o3", "cleo", "2024-03-31")],
        name="wrong",
    )
    deliver(landing, "order_lines", [line("o2", "2000.00"), line("o3", "7.00")], name="wrong")


def tables(warehouse: Warehouse) -> dict[str, list[tuple]]:
    """Return every published table but the logs, sorted."""
    with warehouse.connect() as connection:
        names = connection.execute(
            "select table_name from duckdb_tables() where not internal order by 1"
        ).fetchall()
        return {
            name: sorted(connection.execute(f"select * from {name}").fetchall(), key=str)
            for (name,) in names
            if name not in LOGS
        }


@pytest.fixture(scope="module")
def never_saw(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """Return a warehouse of the right files alone."""
    root = tmp_path_factory.mktemp("never_saw")
    right(root / "landing")
    return quick_run(root, tested=True)


@pytest.fixture(scope="module")
def undone(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """Return a warehouse that published the wrong files and withdrew them."""
    root = tmp_path_factory.mktemp("undone")
    right(root / "landing")
    quick_run(root)
    wrong(root / "landing")
    assert tables(quick_run(root))["orders"] != []
    for number in (3, 4):
        done = segments(root, "withdraw", str(number))
        assert done.returncode == 0, done.stderr
        assert f"Withdrew delivery {number}, shop/order" in done.stdout
    # What is built still holds the wrong rows.
    with pytest.raises(NotPublishable, match=r"run \./segments run"):
        publish(home(root))
    return quick_run(root)


def test_the_next_run_equals_one_that_never_saw_the_files(undone, never_saw):
    assert tables(undone) == tables(never_saw)


def test_the_deliveries_stay_in_the_ledger_marked(undone):
    with undone.connect() as connection:
        rows = connection.execute(
            "select delivery_id, file_name, status, rows_landed from deliveries order by 1"
        ).fetchall()
    assert rows == [
        (1, "order_lines_1.csv", "landed", 2),
        (2, "orders_1.csv", "landed", 2),
        (3, "order_lines_wrong.csv", "withdrawn", 2),
        (4, "orders_wrong.csv", "withdrawn", 2),
    ]


def test_the_file_stays_and_is_not_taken_again_under_its_name(undone):
    file = undone.landing / "shop" / "orders" / "orders_wrong.csv"
    assert file.exists()
    assert ingest(home(undone.root)).results == []


@pytest.mark.parametrize(
    ("number", "message"),
    [
        ("99", "there is no delivery 99"),
        ("3", "delivery 3 (order_lines_wrong.csv) is withdrawn: nothing of it counts"),
    ],
)
def test_only_what_landed_can_be_withdrawn(undone, number, message):
    done = segments(undone.root, "withdraw", number)
    assert done.returncode == 1
    assert message in " ".join(done.stderr.split())
