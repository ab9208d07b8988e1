"""Starts each run of the daemon as a process of its own, and sees at once when it dies.

Dagster's own launcher makes runs children of the code server: a reload or the death of that server
takes them along, and whoever starts the daemon anew finds a run that is `STARTED` for ever. Here a
run outlives the daemon, is known by process id and start time, and is marked failed half a second
after it died, or by the next daemon's monitoring.
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dagster import DagsterInstance, DagsterRun, DagsterRunStatus
from dagster._config.config_schema import UserConfigSchema
from dagster._core.instance.ref import InstanceRef
from dagster._core.launcher.base import (
    CheckRunHealthResult,
    LaunchRunContext,
    RunLauncher,
    WorkerStatus,
)
from dagster._grpc.types import ExecuteRunArgs
from dagster._serdes import ConfigurableClass, serialize_value
from dagster._serdes.config_class import ConfigurableClassData

from orchestration import dbt
from orchestration.home import PROJECT, home

WORKER_TAG = "segments/worker"
# In the environment of a run's process and of what it starts, so that none is taken for another's.
RUN_VARIABLE = "SEGMENTS_RUN"
ARGUMENTS_VARIABLE = "DAGSTER_EXECUTE_RUN_ARGS"


@dataclass(frozen=True)
class Worker:
    """A process, told from a later one of the same id by when it started (ticks since boot)."""

    pid: int
    started: str

    @classmethod
    def of(cls, pid: int) -> "Worker":
        """Return the worker with this process id, which must be running."""
        return cls(pid, _started(pid) or "")

    @classmethod
    def read(cls, tag: str) -> "Worker":
        """Return the worker that a tag of a run names."""
        pid, _, started = tag.partition(" ")
        return cls(int(pid), started)

    def __str__(self) -> str:
        """Return the worker as a tag."""
        return f"{self.pid} {self.started}"

    @property
    def is_alive(self) -> bool:
        """Whether this very process still runs."""
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            # Of another user, so not ours.
            return False
        return _started(self.pid) == (self.started or None)


class Launcher(RunLauncher, ConfigurableClass):
    """Dagster's interface to runs in processes of their own."""

    def __init__(self, inst_data: ConfigurableClassData | None = None) -> None:
        """Keep what Dagster configures; there is nothing to configure."""
        self._inst_data = inst_data
        super().__init__()

    @property
    def inst_data(self) -> ConfigurableClassData | None:
        """What Dagster made this launcher from."""
        return self._inst_data

    @classmethod
    def config_type(cls) -> UserConfigSchema:
        """Return that there is nothing to configure."""
        return {}

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData, config_value: Mapping[str, Any]
    ) -> "Launcher":
        """Return the launcher that `dagster.yaml` asks for."""
        return cls(inst_data)

    def launch_run(self, context: LaunchRunContext) -> None:
        """Start a run and watch it."""
        run = context.dagster_run
        assert run.job_code_origin is not None, "a run without a code location cannot be started"
        arguments = ExecuteRunArgs(run.job_code_origin, run.run_id, self._instance.get_ref())
        place = home()
        log = worker_log(place.logs, run.run_id)
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("wb") as stream:
            process = subprocess.Popen(
                [sys.executable, "-m", "orchestration.worker"],
                cwd=PROJECT,
                env={
                    **os.environ,
                    **dbt.environment(place),
                    RUN_VARIABLE: run.run_id,
                    ARGUMENTS_VARIABLE: serialize_value(arguments),
                },
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                # A signal to the daemon's group, as by Ctrl-C, is not one to the run.
                start_new_session=True,
            )
        self._instance.add_run_tags(run.run_id, {WORKER_TAG: str(Worker.of(process.pid))})
        threading.Thread(
            target=_watch,
            args=(process, run.run_id, self._instance.get_ref(), log),
            name=f"watch-{run.run_id[:8]}",
            daemon=True,
        ).start()

    def terminate(self, run_id: str) -> bool:
        """Ask a run to end, as by Ctrl-C; dbt is ended with it."""
        run = self._instance.get_run_by_id(run_id)
        if run is None or run.is_finished:
            return False
        self._instance.report_run_canceling(run)
        worker = _worker(run)
        if worker is None or not worker.is_alive:
            return False
        os.kill(worker.pid, signal.SIGINT)
        return True

    @property
    def supports_check_run_worker_health(self) -> bool:
        """Whether monitoring can ask for the process; it can."""
        return True

    def check_run_worker_health(self, run: DagsterRun) -> CheckRunHealthResult:
        """Say whether a run's process is alive; end what a dead one left behind."""
        worker = _worker(run)
        if worker is not None and worker.is_alive:
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        end_what_is_left(run.run_id)
        said = f"process {worker.pid} of the run is gone" if worker else "the run has no process"
        return CheckRunHealthResult(WorkerStatus.NOT_FOUND, said)


def worker_log(logs: Path, run_id: str) -> Path:
    """Return where a run's process prints; the file of one that ended well is removed."""
    return logs / "dagster" / "workers" / f"{run_id}.log"


def end_what_is_left(run_id: str) -> None:
    """Kill what the dead process of a run has started and left: dbt, which holds the build file.

    Found by the run's id in their environment, which no other process has.
    """
    mark = f"{RUN_VARIABLE}={run_id}".encode()
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if mark in (entry / "environ").read_bytes().split(b"\0"):
                os.kill(int(entry.name), signal.SIGKILL)


def _watch(process: subprocess.Popen[bytes], run_id: str, ref: InstanceRef, log: Path) -> None:
    """Wait for a run's process to end and mark the run failed if it did not say how it ended."""
    # Until it is waited for, no other process can get its id, nor its group's.
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    code = process.wait()
    if code == 0:
        log.unlink(missing_ok=True)
    with DagsterInstance.from_ref(ref) as instance:
        report_death(instance, run_id, code)


def report_death(instance: DagsterInstance, run_id: str, code: int) -> None:
    """Mark a run failed, or cancelled where it was asked to end, unless it has ended by itself."""
    run = instance.get_run_by_id(run_id)
    if run is None or run.is_finished:
        return
    ended = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
    message = f"The process of the run {ended} before the run was over."
    if run.status == DagsterRunStatus.CANCELING:
        instance.report_run_canceled(run, message)
    else:
        instance.report_run_failed(run, message)
    instance.event_log_storage.free_concurrency_slots_for_run(run_id)


def _worker(run: DagsterRun) -> Worker | None:
    tag = run.tags.get(WORKER_TAG)
    return Worker.read(tag) if tag else None


def _started(pid: int) -> str | None:
    """Return when a process started, in ticks since boot; None where it is gone or a zombie.

    Where there is no /proc, as on a Mac, processes are told apart by their id alone.
    """
    try:
        # The name in parentheses may hold blanks and parentheses of its own.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else fields[19]
