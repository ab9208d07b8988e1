"""A real daemon of Dagster on a small shop, for tests that disturb it.

What is tried here is what stands around a build, so the shop's project is a copy with two marts and
the orchestration as it is: a run takes seconds. SEGMENTS_DAEMON_PROJECT=whole takes a copy of the
whole project instead.
"""

import contextlib
import fcntl
import http.server
import json
import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dagster import DagsterInstance, DagsterRun, DagsterRunStatus, RunsFilter
from dagster._core.instance.ref import InstanceRef
from dagster._core.scheduler.instigation import InstigatorState, InstigatorStatus, InstigatorType

from orchestration.home import Home, home
from orchestration.launcher import RUN_VARIABLE, WORKER_TAG, Worker
from orchestration.versions import current_number
from tests.shops import copy_project, deliver, line, order

WHOLE = os.environ.get("SEGMENTS_DAEMON_PROJECT") == "whole"
# On a busy machine; nothing here is decided by a time that ran out.
LONGEST = 900.0 if WHOLE else 240.0
STAGING = (
    "shop/_shop__sources.yml",
    "ledger/_ledger__sources.yml",
    "control/_control__sources.yml",
)
MACROS = ("audit_table", "clear_audit", "record_audit", "generate_schema_name")
BROKEN = "broken"
SECRET = "a-key-in-the-address"
FILES = {
    "dbt_project.yml": """
name: segments
version: "1.0.0"
profile: segments
test-paths: [tests]
seed-paths: [no_seeds]
flags: {send_anonymous_usage_stats: false, use_colors: false}
on-run-start: "{{ clear_audit() }}"
on-run-end: "{{ record_audit(results) }}"
models:
  segments:
    +materialized: table
    marts:
      core: {+schema: core}
      customers: {+schema: customers}
""",
    "models/marts/core/orders.sql": """
select 'shop:' || order_id as order_id, 'shop:' || customer_id as customer_id, ordered_at
from {{ source('shop', 'orders') }}
""",
    "models/marts/customers/customer_segments.sql": """
select
    (select cast(max(ordered_at) as date) from {{ ref('orders') }}) as as_of_date,
    orders.customer_id,
    cast(sum(order_lines.unit_price) as decimal(18, 2)) as net_revenue_12m
from {{ ref('orders') }} as orders
inner join {{ source('shop', 'order_lines') }} as order_lines
    on orders.order_id = 'shop:' || order_lines.order_id
group by all
""",
    "models/marts/marts.yml": """
models:
  - name: customer_segments
    columns: [{name: customer_id, data_tests: [not_null, unique]}]
""",
}
BROKEN_TEST = f"""-- Nobody is called broken.
select customer_id from {{{{ ref('customer_segments') }}}} where customer_id = 'shop:{BROKEN}'
"""


def small_project(folder: Path) -> Path:
    """Return a copy of the project, cut down to two marts unless the whole is asked for."""
    project = copy_project(folder)
    if not WHOLE:
        kept = {name: (project / "models" / "staging" / name).read_text() for name in STAGING}
        for name in ("models", "tests"):
            shutil.rmtree(project / name)
        for macro in (project / "macros").rglob("*"):
            if macro.is_file() and macro.stem not in MACROS:
                macro.unlink()
        for name, text in {
            **{f"models/staging/{name}": text for name, text in kept.items()},
            **FILES,
        }.items():
            path = project / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    broken = project / "tests" / "singular" / "assert_nobody_is_called_broken.sql"
    broken.parent.mkdir(parents=True, exist_ok=True)
    broken.write_text(BROKEN_TEST)
    return project


@dataclass
class Station:
    """A home with its project and, while it runs, its daemon."""

    project: Path
    place: Home
    webhook: str
    called: list[dict[str, Any]]
    daemon: subprocess.Popen[bytes] | None = None
    delivered: dict[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        kept = {key: value for key, value in os.environ.items() if key != "DAGSTER_HOME"}
        return {
            **kept,
            "SEGMENTS_HOME": str(self.place.root),
            "SEGMENTS_ENVIRONMENT": "production",
            "SEGMENTS_WEBHOOK_URL": self.webhook,
        }

    @property
    def instance(self) -> DagsterInstance:
        folder = self.place.logs / "dagster"
        return DagsterInstance.from_ref(InstanceRef.from_dir(str(folder)))

    def start(self) -> None:
        """Start the daemon as an operator does."""
        assert self.daemon is None
        with (self.place.prepare().logs / "daemon.log").open("ab") as log:
            self.daemon = subprocess.Popen(
                [str(self.project / "segments"), "daemon"],
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def schedule(self, name: str) -> InstigatorState:
        """Return what the daemon knows of a schedule, once it knows it."""

        def found() -> InstigatorState | None:
            with self.instance as instance:
                states = instance.all_instigator_state(instigator_type=InstigatorType.SCHEDULE)
            return next((state for state in states if state.instigator_name == name), None)

        return self.wait_for(f"the schedule {name}", found)

    def switch_off(self, name: str) -> None:
        """Switch a schedule off, as in the UI."""
        state = self.schedule(name)
        with self.instance as instance:
            instance.update_instigator_state(state.with_status(InstigatorStatus.STOPPED))

    def stop(self, sign: signal.Signals = signal.SIGTERM) -> None:
        """End the daemon with what it started itself, by process id; runs go on."""
        if self.daemon is None:
            return
        children = [pid for pid in children_of(self.daemon.pid) if not is_worker(pid)]
        self.daemon.send_signal(sign)
        try:
            self.daemon.wait(60)
        except subprocess.TimeoutExpired:
            self.daemon.kill()
            self.daemon.wait()
        self.daemon = None
        for pid in children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def end_runs(self) -> None:
        """End the processes of runs that still work."""
        for run in self.runs():
            worker = worker_of(run)
            if worker is not None and worker.is_alive:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(worker.pid, signal.SIGKILL)

    def runs(self, **filters: Any) -> list[DagsterRun]:
        """Return the runs, the newest first."""
        with self.instance as instance:
            return list(instance.get_runs(RunsFilter(**filters)))

    def run(self, run_id: str) -> DagsterRun:
        """Return a run as it is now."""
        (found,) = self.runs(run_ids=[run_id])
        return found

    def drop(self, name: str, orders: list[dict[str, object]], price: str = "10.00") -> float:
        """Deliver orders under their final names at once; return when."""
        away = self.place.root / "sender"
        files = [
            deliver(away, "orders", orders, name),
            deliver(away, "order_lines", [line(str(o["order_id"]), price) for o in orders], name),
        ]
        for file in files:
            target = self.place.landing / file.relative_to(away)
            target.parent.mkdir(parents=True, exist_ok=True)
            file.rename(target)
        self.delivered |= {str(row["order_id"]): str(row["customer_id"]) for row in orders}
        return time.monotonic()

    def version(self) -> int:
        """Return the version that readers get, 0 before the first."""
        return current_number(self.place) or 0

    def rows_lost(self) -> int:
        """Return how many delivered orders the published version lacks, or has too many."""
        import duckdb

        folder = (self.place.published / "current").resolve()
        with duckdb.connect(str(folder / "facts.duckdb"), read_only=True) as facts:
            found = facts.execute("select order_id from orders").fetchall()
        published = sorted(order_id for (order_id,) in found)
        expected = sorted(f"shop:{order_id}" for order_id in self.delivered)
        return len(set(published) ^ set(expected)) + abs(len(published) - len(expected))

    def wait_for(self, what: str, condition: Callable[[], Any], seconds: float = LONGEST) -> Any:
        """Wait until a condition holds and return what it returned."""
        deadline = time.monotonic() + seconds
        while not (found := condition()):
            assert self.daemon is None or self.daemon.poll() is None, self.told()
            assert time.monotonic() < deadline, f"{what} did not happen\n{self.told()}"
            time.sleep(0.1)
        return found

    def wait_for_version(self, after: int) -> int:
        """Wait for a version newer than `after`."""
        return self.wait_for(
            f"a version after {after}", lambda: self.version() > after and self.version()
        )

    def wait_until_quiet(self) -> None:
        """Wait until no run waits or works."""
        self.wait_for("quiet", lambda: all(run.is_finished for run in self.runs()))

    def wait_for_step(self, step: str, known: set[str]) -> DagsterRun:
        """Wait until a run that is not known yet works at a step."""

        def at_step() -> DagsterRun | None:
            for run in self.runs():
                if run.run_id not in known and worker_of(run) is not None:
                    with self.instance as instance:
                        stats = instance.get_run_step_stats(run.run_id, [step])
                    if stats and stats[0].start_time and not stats[0].end_time:
                        return run
            return None

        return self.wait_for(f"a run at {step}", at_step)

    def told(self) -> str:
        """Return the end of the daemon's log, for messages."""
        return (self.place.logs / "daemon.log").read_text(errors="replace")[-6000:]

    def failures(self) -> list[dict[str, Any]]:
        """Return what logs/failures.log holds."""
        path = self.place.logs / "failures.log"
        return [json.loads(text) for text in path.read_text().splitlines()] if path.exists() else []

    def lock_is_free(self, name: str = "writer.lock") -> bool:
        """Say whether nobody holds a lock of the home."""
        handle = os.open(self.place.warehouse / name, os.O_RDWR | os.O_CREAT)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        else:
            return True
        finally:
            os.close(handle)


def worker_of(run: DagsterRun) -> Worker | None:
    tag = run.tags.get(WORKER_TAG)
    return Worker.read(tag) if tag else None


def processes_of(run_id: str) -> list[int]:
    """Return the processes that a run has started and that still run."""
    return [pid for pid in processes() if f"{RUN_VARIABLE}={run_id}" in environment_of(pid)]


def is_worker(pid: int) -> bool:
    return any(text.startswith(f"{RUN_VARIABLE}=") for text in environment_of(pid))


def children_of(pid: int) -> list[int]:
    """Return all processes below one."""
    parents = {}
    for other in processes():
        with contextlib.suppress(OSError, IndexError):
            stat = Path(f"/proc/{other}/stat").read_text().rpartition(")")[2].split()
            parents[other] = int(stat[1])
    found = [other for other, parent in parents.items() if parent == pid]
    return found + [lower for other in found for lower in children_of(other)]


def processes() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdecimal()]


def environment_of(pid: int) -> list[str]:
    with contextlib.suppress(OSError):
        text = Path(f"/proc/{pid}/environ").read_bytes().decode(errors="replace")
        return text.split("\0")
    return []


@contextlib.contextmanager
def webhook() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Listen for calls of a webhook on this machine; yield its address and what came."""
    called: list[dict[str, Any]] = []

    class Listener(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            called.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Listener)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/{SECRET}", called
    finally:
        server.shutdown()
        server.server_close()


@contextlib.contextmanager
def station(folder: Path) -> Iterator[Station]:
    """Make a home whose daemon runs and has published the first delivery; end all afterwards."""
    with webhook() as (address, called):
        made = Station(
            small_project(folder / "project"), home(folder / "home").prepare(), address, called
        )
        first = [
            order(f"o{number}", f"c{number % 60}", f"2026-0{1 + number % 9}-{1 + number % 27:02}")
            for number in range(180)
        ]
        made.drop("1", first)
        made.start()
        try:
            made.wait_for_version(0)
            # Every hour has a twentieth minute, and this project has no triggers.
            made.switch_off("triggers_by_the_clock")
            yield made
        finally:
            made.stop()
            made.end_runs()


FAILED = DagsterRunStatus.FAILURE
DONE = DagsterRunStatus.SUCCESS
