"""The real daemon on a small shop: what starts runs, and what is left when something is killed.

Tests follow each other on one home and one daemon, as operation does; each waits for quiet first.
The daemon and its runs are ended by process id. What is measured stands in
docs/operation-figures.md.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from dagster._core.scheduler.instigation import ScheduleInstigatorData

from orchestration.assets import WRITER_POOL
from orchestration.audit import open_build, read_deliveries
from orchestration.sensors import LOOKS_SECONDS
from orchestration.withdraw import withdraw
from tests.figures import record
from tests.orchestration.daemons import (
    BROKEN,
    DONE,
    FAILED,
    SECRET,
    Station,
    processes_of,
    station,
    worker_of,
)
from tests.shops import order

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Station]:
    with station(tmp_path_factory.mktemp("station")) as made:
        yield made


@pytest.fixture(autouse=True)
def quiet(shop: Station) -> None:
    if shop.daemon is None:
        shop.start()
    shop.wait_until_quiet()


def run_ids(shop: Station) -> set[str]:
    return {run.run_id for run in shop.runs()}


def new_runs(shop: Station, known: set[str]) -> list:
    return [run for run in shop.runs() if run.run_id not in known]


def test_a_file_dropped_ends_in_a_published_version(shop: Station):
    before, known = shop.version(), run_ids(shop)
    began = shop.drop("2", [order("d1", "c1", "2026-09-28"), order("d2", "new", "2026-09-28")])
    assert shop.wait_for_version(before) == before + 1
    record("dropped_to_published", round(time.monotonic() - began, 1), "s")
    shop.wait_until_quiet()
    (run,) = new_runs(shop, known)
    assert (run.job_name, run.status) == ("refresh", DONE)
    assert run.tags["dagster/sensor_name"] == "new_delivery"
    assert shop.rows_lost() == 0


def test_a_half_written_file_is_not_taken(shop: Station):
    before, known = shop.version(), run_ids(shop)
    folder = shop.place.landing / "shop" / "orders"
    part = folder / "orders_later.csv.part"
    part.write_text("order_id,customer_id,ordered_at,status\nhalf,c1,2026-09-28 12:00:00,comp")
    growing = folder / "orders_growing.csv"
    written = []
    with growing.open("w") as stream:
        stream.write("order_id,customer_id,ordered_at,status\n")
        deadline = time.monotonic() + 3 * LOOKS_SECONDS
        while time.monotonic() < deadline:
            written.append(f"g{len(written)}")
            stream.write(f"{written[-1]},c2,2026-09-28 12:00:00,completed\n")
            stream.flush()
            time.sleep(1)
        assert new_runs(shop, known) == []
    shop.delivered |= dict.fromkeys(written, "c2")
    assert shop.wait_for_version(before) == before + 1
    shop.wait_until_quiet()
    assert len(new_runs(shop, known)) == 1
    assert shop.rows_lost() == 0
    assert part.exists()
    part.unlink()


def test_a_killed_run_is_marked_failed_and_repeated_once(shop: Station):
    before, known, told = shop.version(), run_ids(shop), len(shop.failures())
    shop.drop("killed", [order("k1", "c3", "2026-09-28")])
    run = shop.wait_for_step("build", known)
    # With dbt already at work, which would hold the build file.
    shop.wait_for("dbt", lambda: len(processes_of(run.run_id)) > 1)
    worker = worker_of(run)
    assert worker is not None and not shop.lock_is_free()
    os.kill(worker.pid, signal.SIGKILL)
    killed = time.monotonic()
    shop.wait_for("the mark", lambda: shop.run(run.run_id).status == FAILED, seconds=60)
    record("killed_to_marked_failed", round(time.monotonic() - killed, 1), "s")
    # Nobody goes on writing, and nothing is held for the dead.
    assert processes_of(run.run_id) == []
    with shop.instance as instance:
        held = instance.event_log_storage.get_concurrency_info(WRITER_POOL)
        assert run.run_id not in {slot.run_id for slot in held.claimed_slots}
    assert shop.version() == before

    shop.wait_for_version(before)
    record("killed_to_published", round(time.monotonic() - killed, 1), "s")
    shop.wait_until_quiet()
    (repeated, first) = new_runs(shop, known)
    assert first.run_id == run.run_id
    assert (repeated.parent_run_id, repeated.status) == (run.run_id, DONE)
    # From its first step: ingestion settles what a build starts from.
    with shop.instance as instance:
        steps = {stats.step_key for stats in instance.get_run_step_stats(repeated.run_id)}
    assert steps == {"ingest", "build", "publish"}
    assert shop.lock_is_free() and shop.lock_is_free("run.lock")
    assert shop.rows_lost() == 0
    line = shop.wait_for("the line", lambda: shop.failures()[told:])[0]
    assert (line["run_id"], line["step"], line["job"]) == (run.run_id, None, "refresh")


def test_a_failing_test_blocks_publishing_and_is_told(shop: Station):
    before, known, told = shop.version(), run_ids(shop), len(shop.failures())
    called = len(shop.called)
    shop.drop("broken", [order("b1", BROKEN, "2026-09-28")])
    run = shop.wait_for(
        "a failed run",
        lambda: next((run for run in new_runs(shop, known) if run.status == FAILED), None),
    )
    failed = time.monotonic()
    shop.wait_for("the line", lambda: len(shop.failures()) > told)
    record("failed_to_told", round(time.monotonic() - failed, 1), "s")
    line = shop.failures()[told]
    assert (line["run_id"], line["step"], line["webhook"]) == (run.run_id, "build", "answered 204")
    assert line["tests"] == ["assert_nobody_is_called_broken"]
    assert shop.called[called]["tests"] == ["assert_nobody_is_called_broken"]
    assert shop.version() == before

    # Its test would fail again: it is not repeated, nor asked for again by the sensor.
    time.sleep(2 * LOOKS_SECONDS)
    assert [one.run_id for one in new_runs(shop, known)] == [run.run_id]

    # Launched alone, in a run that knows of no check, publishing asks the build file itself.
    alone = subprocess.run(
        [
            *(sys.executable, "-m", "dagster", "asset", "materialize"),
            *("--select", "published", "-m", "orchestration.definitions"),
        ],
        cwd=shop.project,
        env={**shop.environment, "DAGSTER_HOME": str(shop.place.logs / "dagster")},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert alone.returncode != 0
    assert "assert_nobody_is_called_broken" in alone.stderr + alone.stdout
    assert shop.version() == before

    with open_build(shop.place) as build:
        wrong = [one for one in read_deliveries(build) if one.file_name.endswith("_broken.csv")]
    for delivery in wrong:
        withdraw(shop.place, delivery.delivery_id)
    del shop.delivered["b1"]
    shop.drop("mended", [order("b2", "c4", "2026-09-28")])
    shop.wait_for_version(before)
    shop.wait_until_quiet()
    assert shop.rows_lost() == 0


def test_a_tick_of_a_schedule_runs(shop: Station):
    before, known = shop.version(), run_ids(shop)
    state = shop.schedule("refresh_by_the_clock")
    # As if the daemon had been away since yesterday: it makes up for the tick that it missed.
    shop.stop()
    yesterday = (datetime.now(UTC) - timedelta(hours=25)).timestamp()
    cron = state.instigator_data.cron_schedule
    with shop.instance as instance:
        instance.update_instigator_state(state.with_data(ScheduleInstigatorData(cron, yesterday)))
    shop.start()
    run = shop.wait_for(
        "a run by the clock",
        lambda: next(
            (
                run
                for run in new_runs(shop, known)
                if run.tags.get("dagster/schedule_name") == "refresh_by_the_clock"
            ),
            None,
        ),
    )
    shop.wait_for("its end", lambda: shop.run(run.run_id).is_finished)
    assert shop.run(run.run_id).status == DONE
    assert shop.version() == before + 1
    assert shop.rows_lost() == 0


def test_a_run_outlives_its_killed_daemon(shop: Station):
    before, known = shop.version(), run_ids(shop)
    shop.drop("outlives", [order("u1", "c5", "2026-09-28")])
    run = shop.wait_for_step("build", known)
    shop.stop(signal.SIGKILL)
    shop.wait_for_version(before)
    shop.wait_for("its end", lambda: shop.run(run.run_id).is_finished)
    assert shop.run(run.run_id).status == DONE
    assert shop.rows_lost() == 0


def test_a_run_killed_with_its_daemon_is_marked_by_the_next_one(shop: Station):
    before, known = shop.version(), run_ids(shop)
    shop.drop("both", [order("u2", "c6", "2026-09-28")])
    run = shop.wait_for_step("build", known)
    worker = worker_of(run)
    assert worker is not None
    shop.stop(signal.SIGKILL)
    os.kill(worker.pid, signal.SIGKILL)
    assert not shop.run(run.run_id).is_finished
    began = time.monotonic()
    shop.start()
    shop.wait_for("the mark", lambda: shop.run(run.run_id).status == FAILED)
    record("restarted_to_marked_failed", round(time.monotonic() - began, 1), "s")
    shop.wait_for_version(before)
    shop.wait_until_quiet()
    assert processes_of(run.run_id) == []
    assert shop.rows_lost() == 0
    record("orders_lost", shop.rows_lost(), "orders")


def test_a_home_has_one_daemon(shop: Station):
    second = subprocess.run(
        [str(shop.project / "segments"), "daemon"],
        env=shop.environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert second.returncode == 1
    assert f"process {shop.daemon.pid} (the daemon)" in second.stderr


def test_no_log_holds_the_address_of_the_webhook(shop: Station):
    shop.wait_for("a call", lambda: shop.called)
    found = [
        path
        for path in shop.place.root.rglob("*")
        if path.is_file() and SECRET.encode() in path.read_bytes()
    ]
    assert found == []
