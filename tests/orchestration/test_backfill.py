"""A backfill is one run of the job `month_end`, and equals as many builds of a past day.

`tests/warehouse/test_replays.py` compares two past days of another shop.
"""

import os
import subprocess
from datetime import date, timedelta
from pathlib import Path

import pytest
from dagster import DagsterInstance
from dagster._core.instance.ref import InstanceRef

from orchestration import dbt, versions
from orchestration.control import Request
from orchestration.home import PROJECT, home
from orchestration.pipeline import dagster_home
from sample.generate import generate
from tests.figures import record
from tests.shops import Warehouse, deliver, line, order, quick_run

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]

# Newest first: the first of each month, and the month-end before it.
FIRSTS = [date(2026, month, 1) for month in range(6, 0, -1)] + [
    date(2025, month, 1) for month in range(12, 6, -1)
]
ENDS = [first - timedelta(days=1) for first in FIRSTS]
EQUAL: set[date] = set()
# Names of clusters go on from month to month, so that they depend on where a history begins.
OF_A_PATH = {"cluster_name"}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a landing folder of 60 customers, two years, with late facts in a second delivery."""
    made = generate(tmp_path_factory.mktemp("shop"), customers=60, months=26, seed=11)
    return made.landing


@pytest.fixture(scope="module")
def backfilled(shop: Path, tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """Return a home whose history was reported, then marked by late facts, then backfilled."""
    root = tmp_path_factory.mktemp("backfilled")
    (root / "landing").symlink_to(shop)
    place = home(root)
    quick_run(root)
    first = ENDS[-1].replace(day=9).isoformat()
    deliver(shop, "orders", [order("late", "C0000005", first)], "late")
    deliver(shop, "order_lines", [line("late", "4321.00")], "late")
    quick_run(root)
    marked = versions.current(place)["history"]["marked"]
    assert [date.fromisoformat(day) for day in marked] == ENDS[::-1]
    done = subprocess.run(
        [
            *(str(dbt.EXECUTABLE.with_name("dagster")), "job", "execute"),
            *("-m", "orchestration.definitions", "-j", "month_end"),
        ],
        cwd=PROJECT,
        env={**os.environ, **dbt.environment(place), "DAGSTER_HOME": str(dagster_home(place))},
        capture_output=True,
        text=True,
        check=False,
        timeout=1200,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return Warehouse(root, shop)


def test_a_backfill_is_one_run_that_publishes_one_version(backfilled: Warehouse):
    place = home(backfilled.root)
    with DagsterInstance.from_ref(InstanceRef.from_dir(str(dagster_home(place)))) as instance:
        (run,) = instance.get_runs()
    assert run.job_name == "month_end"
    assert versions.version_numbers(place) == [1, 2, 3]
    assert versions.current(place)["history"]["marked"] == []
    with backfilled.connect() as published:
        restated = published.execute("select as_of_date from restatements order by 1").fetchall()
    assert [day for (day,) in restated] == ENDS[::-1]


@pytest.mark.parametrize("day", ENDS, ids=str)
def test_a_month_end_of_a_backfill_equals_a_build_of_its_own(
    day: date, backfilled: Warehouse, shop: Path, tmp_path: Path
):
    (tmp_path / "landing").symlink_to(shop)
    past = quick_run(tmp_path, Request(last_day=day))
    with past.connect() as then, backfilled.connect() as now:
        columns = [
            {row[0] for row in connection.execute(f"describe {table}").fetchall()}
            for connection, table in (
                (then, "customer_segments"),
                (now, "customer_segments_history"),
            )
        ]
        common = ", ".join(sorted((columns[0] & columns[1]) - OF_A_PATH))
        alone = then.execute(f"select {common} from customer_segments order by all").fetchall()
        together = now.execute(
            f"select {common} from customer_segments_history where as_of_date = ? order by all",
            [day],
        ).fetchall()
    assert len(common.split(", ")) > 20
    assert len(alone) > 20
    assert alone == together
    EQUAL.add(day)
    record("backfilled_months_equal", len(EQUAL), "of 12 month-ends")
