"""Runs in processes of their own: told apart, watched, and marked once when they die."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest
from dagster import DagsterInstance, DagsterRun, DagsterRunStatus, job, op
from dagster._core.launcher.base import WorkerStatus

from orchestration.launcher import (
    RUN_VARIABLE,
    WORKER_TAG,
    Launcher,
    Worker,
    end_what_is_left,
    report_death,
)


@op
def nothing() -> None:
    pass


@job
def refresh() -> None:
    nothing()


@pytest.fixture
def instance() -> Iterator[DagsterInstance]:
    with DagsterInstance.ephemeral() as made:
        yield made


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        [sys.executable, "-c", "import time; time.sleep(600)"],
        env={**os.environ, RUN_VARIABLE: "the-run"},
    )
    yield process
    process.kill()
    process.wait()


def run_of(instance: DagsterInstance, worker: Worker | None, status=DagsterRunStatus.STARTED):
    tags = {WORKER_TAG: str(worker)} if worker else {}
    return instance.create_run_for_job(refresh, status=status, tags=tags)


def health(run: DagsterRun) -> WorkerStatus:
    return Launcher().check_run_worker_health(run).status


def test_a_worker_is_known_by_its_id_and_its_start(sleeper: subprocess.Popen[bytes]):
    worker = Worker.of(sleeper.pid)
    assert Worker.read(str(worker)) == worker
    assert worker.is_alive
    # Another process that got the same id.
    assert not Worker(worker.pid, "1").is_alive
    sleeper.kill()
    # A zombie, until it is waited for.
    os.waitid(os.P_PID, sleeper.pid, os.WEXITED | os.WNOWAIT)
    assert not worker.is_alive
    sleeper.wait()
    assert not worker.is_alive


def test_monitoring_finds_a_run_alive_or_gone(
    instance: DagsterInstance, sleeper: subprocess.Popen[bytes]
):
    worker = Worker.of(sleeper.pid)
    assert health(run_of(instance, worker)) == WorkerStatus.RUNNING
    assert health(run_of(instance, Worker(worker.pid, "1"))) == WorkerStatus.NOT_FOUND
    assert health(run_of(instance, None)) == WorkerStatus.NOT_FOUND
    # Of other runs nothing is ended.
    assert sleeper.poll() is None


def test_what_a_dead_run_has_left_is_ended_and_nothing_else(sleeper: subprocess.Popen[bytes]):
    end_what_is_left("the-run-of-another")
    end_what_is_left("the-ru")
    assert sleeper.poll() is None
    end_what_is_left("the-run")
    assert sleeper.wait(10) == -signal.SIGKILL


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (DagsterRunStatus.STARTED, DagsterRunStatus.FAILURE),
        (DagsterRunStatus.STARTING, DagsterRunStatus.FAILURE),
        (DagsterRunStatus.CANCELING, DagsterRunStatus.CANCELED),
        (DagsterRunStatus.SUCCESS, DagsterRunStatus.SUCCESS),
        (DagsterRunStatus.FAILURE, DagsterRunStatus.FAILURE),
    ],
)
def test_a_death_is_marked_once(
    instance: DagsterInstance, before: DagsterRunStatus, after: DagsterRunStatus
):
    run = run_of(instance, None, before)
    report_death(instance, run.run_id, -signal.SIGKILL)
    found = instance.get_run_by_id(run.run_id)
    assert found is not None and found.status == after
    told = [
        entry.message
        for entry in instance.all_logs(run.run_id)
        if "was killed by signal 9" in entry.message
    ]
    assert len(told) == (0 if before == after else 1)


def test_the_death_of_a_run_that_was_deleted_is_nothing(instance: DagsterInstance):
    report_death(instance, "00000000-0000-0000-0000-000000000000", 1)
