"""The main job as a user meets it: what a failing test, a refused file and another writer do."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from orchestration import dbt
from orchestration.home import PROJECT, home, writer_lock
from tests import warm
from tests.shops import Warehouse, copy_project, deliver, line, order, run, segments


def deliver_orders(landing: Path, count: int, name: str) -> None:
    orders = [order(f"{name}{number}", f"c{number}", "2026-03-05") for number in range(count)]
    deliver(landing, "orders", orders, name)
    deliver(landing, "order_lines", [line(row["order_id"], "10.00") for row in orders], name)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the project that a test may break."""
    return copy_project(tmp_path_factory.mktemp("project"))


@pytest.fixture(scope="module")
def published(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    root = tmp_path_factory.mktemp("home")
    deliver_orders(root / "landing", 40, "a")
    return run(root, project=project)


def served(warehouse: Warehouse) -> tuple[str, str]:
    """Return the version that readers get, and its checksums."""
    manifest = json.loads((warehouse.current / "manifest.json").read_text())
    return os.readlink(warehouse.current), json.dumps(manifest["files"])


def test_a_run_publishes_and_says_what(published: Warehouse):
    done = segments(published.root, "status")
    assert done.returncode == 0
    assert "version 1" in done.stdout
    with published.connect() as connection:
        assert connection.execute("select count(*) from customer_segments").fetchone() == (40,)


def test_a_failing_test_publishes_nothing_and_is_named(project: Path, published: Warehouse):
    before = served(published)
    deliver_orders(published.landing, 5, "b")
    broken = project / "tests" / "assert_nothing_is_ever_sold.sql"
    broken.write_text("-- Nothing is ever sold.\nselect order_id from {{ ref('orders') }}\n")
    try:
        done = segments(published.root, "run", project=project)
    finally:
        broken.unlink()
    assert done.returncode != 0
    assert "assert_nothing_is_ever_sold" in done.stderr
    assert "Readers keep the last good version" in done.stderr
    assert served(published) == before
    with published.connect() as connection:
        assert connection.execute("select count(*) from orders").fetchone() == (40,)

    refused = segments(published.root, "publish", project=project)
    assert refused.returncode != 0
    assert "assert_nothing_is_ever_sold" in refused.stderr
    assert served(published) == before

    # Mended, the next run catches up with what the failed one had ingested, and can be undone.
    run(published.root, project=project)
    with published.connect() as connection:
        assert connection.execute("select count(*) from orders").fetchone() == (45,)
    back = segments(published.root, "rollback", project=project)
    assert back.returncode == 0, back.stderr
    assert served(published) == before
    assert segments(published.root, "rollback", "--to", "2", project=project).returncode == 0


def test_a_refused_file_stays_and_the_rest_is_published(published: Warehouse, project: Path):
    renamed = deliver(
        published.landing,
        "refunds",
        [{"refund_number": "r1", "refunded_at": "2026-03-06 10:00:00", "amount": "1.00"}],
    )
    done = segments(published.root, "run", project=project)
    assert done.returncode == 0, done.stderr
    assert renamed.exists()
    # The reason is told where the user looks, on every run that meets the file.
    assert "refund_id" in done.stderr
    assert "refund_number" in done.stderr
    with published.connect() as connection:
        status, note = connection.execute(
            "select status, note from deliveries where feed = 'refunds'"
        ).fetchone()
    assert status == "refused"
    assert "refund_id" in note
    assert "refund_number" in note


def test_a_second_writer_is_told_who_holds_the_lock(tmp_path: Path):
    (tmp_path / "landing").mkdir()
    environment = {**os.environ, "SEGMENTS_HOME": str(tmp_path)}
    with writer_lock(home(tmp_path), "a long build"):
        done = subprocess.run(
            [sys.executable, "-c", WAIT_BRIEFLY],
            cwd=PROJECT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
    assert done.returncode == 1
    assert f"process {os.getpid()} (a long build)" in done.stderr


WAIT_BRIEFLY = """
from orchestration.home import WriterBusy, home, writer_lock
import sys
try:
    with writer_lock(home(), "another", wait_seconds=0.5):
        pass
except WriterBusy as error:
    sys.exit(str(error))
"""


def test_files_in_the_wrong_place_are_told_and_not_just_ignored(tmp_path: Path):
    warm.hand_over(tmp_path)
    deliver_orders(tmp_path / "landing" / "one_too_deep", 3, "a")
    done = segments(tmp_path, "run")
    assert done.returncode == 0, done.stderr
    assert "one_too_deep" in done.stderr
    assert "there are no segments" in done.stderr


def test_orders_that_are_all_rejected_are_told_with_the_reason(tmp_path: Path):
    warm.hand_over(tmp_path)
    orders = [order("o1", "c1", "2026-03-05", currency="XXX")]
    deliver(tmp_path / "landing", "orders", orders)
    deliver(tmp_path / "landing", "order_lines", [line("o1", "10.00")])
    done = segments(tmp_path, "run")
    assert done.returncode == 0, done.stderr
    assert "1 shop/orders: No exchange rate for its currency" in done.stdout
    assert "there are no segments" in done.stderr


@pytest.mark.parametrize("command", ["run", "ingest", "status", "generate", "dbt", "rollback"])
def test_a_home_that_cannot_be_made_is_a_sentence(tmp_path: Path, command: str):
    (tmp_path / "file").write_text("no folder")
    done = segments(tmp_path / "file" / "home", command)
    assert done.returncode == 1
    assert "Set SEGMENTS_HOME" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_missing_landing_folder_is_a_sentence(tmp_path: Path):
    done = segments(tmp_path, "run", "--landing", str(tmp_path / "nowhere"))
    assert done.returncode != 0
    assert "there is no folder" in done.stderr
    assert "Traceback" not in done.stderr


def test_dbt_build_by_hand_and_dagster_job_execute_work_after_ingest(tmp_path: Path):
    deliver_orders(tmp_path / "landing", 3, "a")
    assert segments(tmp_path, "ingest").returncode == 0
    environment = {**os.environ, **dbt.environment(home(tmp_path))}
    by_hand = subprocess.run(
        [str(dbt.EXECUTABLE), "build", "--exclude-resource-type", "unit_test"],
        cwd=PROJECT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert by_hand.returncode == 0, by_hand.stdout[-3000:]
    assert segments(tmp_path, "publish").returncode == 0

    dagster_home = tmp_path / "logs" / "dagster"
    dagster_home.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(PROJECT / "orchestration" / "dagster.yaml", dagster_home / "dagster.yaml")
    executed = subprocess.run(
        [
            str(dbt.EXECUTABLE.with_name("dagster")),
            "job",
            "execute",
            "-m",
            "orchestration.definitions",
            "-j",
            "refresh",
        ],
        cwd=PROJECT,
        env={**environment, "DAGSTER_HOME": str(dagster_home)},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert executed.returncode == 0, executed.stderr[-3000:]
    assert os.readlink(tmp_path / "published" / "current").endswith("2")
