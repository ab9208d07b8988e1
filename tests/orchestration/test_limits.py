"""A full disk, too little memory, two runs at once, a folder that is read-only, a clock set back.

Each ends with one sentence that says what to do, readers keep what they had, nothing is lost. A
full disk is a limit on the size of files here: the calls of the system that fail are the same.
"""

import contextlib
import datetime as dt
import functools
import os
import resource
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

from orchestration import dbt, trouble
from orchestration import publish as publishing
from orchestration.home import PROJECT, Home, home
from orchestration.ingest import ingest
from orchestration.publish import publish, rollback
from orchestration.versions import current_number, verify_version, version_numbers
from tests import warm
from tests.orchestration import crashes
from tests.orchestration.crashes import (
    Undisturbed,
    check_home,
    differences,
    one_sentence,
    restored,
)
from tests.orchestration.publish_builds import make_build
from tests.shops import deliver, line, order, segments

NOBODY = 65534


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    return crashes.undisturbed_homes(tmp_path_factory.getbasetemp() / "undisturbed")


def limited(
    root: Path,
    *arguments: str,
    file_bytes: int | None = None,
    prefix: tuple[str, ...] = (),
    **environment: str,
) -> subprocess.CompletedProcess[str]:
    """Run `./segments` where no file may grow beyond a size."""

    def limit() -> None:
        if file_bytes is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes, file_bytes))

    return subprocess.run(
        [*prefix, str(PROJECT / "segments"), *arguments],
        env={**os.environ, "SEGMENTS_HOME": str(root), "COLUMNS": "200", **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
        preexec_fn=limit,
    )


# A full disk


@pytest.mark.slow
def test_a_full_disk_in_each_step(undisturbed: Undisturbed):
    root = restored(undisturbed.delivered)
    place = home(root)

    # Too small for the copy of a delivery, then for the log of the build file.
    for file_bytes in (100_000, 700_000):
        told = one_sentence(limited(root, "ingest", file_bytes=file_bytes))
        assert_disk_is_told(told, root)
        check_home(place)
    assert segments(root, "ingest").returncode == 0

    # Enough for what dbt and Dagster note, too little for a table as big as that of the visits.
    enough = place.build_file.stat().st_size + 300_000
    failed = limited(root, "run", file_bytes=enough)
    told = one_sentence(failed)
    assert told.startswith("build: ")
    assert_disk_is_told(told, root)
    assert "Readers keep the last good version." in told
    assert failed.stderr.count("File too large") == 1
    check_home(place)
    assert current_number(place) == 1

    # Nothing that a step makes outlives a failure of the next: the build is whole by now.
    warm.call(place, *dbt.BUILD_ARGUMENTS)
    told = one_sentence(limited(root, "publish", file_bytes=500_000))
    assert_disk_is_told(told, root)
    check_home(place)
    assert current_number(place) == 1
    assert version_numbers(place) == [1]
    assert list((place.published / "versions").glob("*.tmp")) == []

    assert segments(root, "publish").returncode == 0
    assert differences(root, undisturbed.published) == {}


def assert_disk_is_told(told: str, root: Path) -> None:
    assert f"The disk is full, or a file may not grow, under {root}" in told
    assert "File too large" in told
    assert "make room, then run this again" in told


@pytest.mark.parametrize("command", ["run", "generate", "ingest", "publish"])
def test_a_disk_without_a_byte_is_a_sentence(tmp_path: Path, command: str):
    place = make_build(Home(tmp_path))
    publish(place)
    assert_disk_is_told(one_sentence(limited(tmp_path, command, file_bytes=1)), tmp_path)
    assert current_number(place) == 1
    assert publish(place).version == 2


def test_without_a_byte_one_can_look_and_go_back(tmp_path: Path):
    place = make_build(Home(tmp_path))
    publish(place)
    publish(place)
    for command in ("status", "rollback"):
        assert limited(tmp_path, command, file_bytes=1).returncode == 0
    assert current_number(place) == 1


# Memory


@pytest.mark.slow
def test_too_little_memory(undisturbed: Undisturbed):
    root = restored(undisturbed.delivered)
    # So little that no model begins: hundreds that fail one by one take a minute. What ingestion
    # says of the sources' freshness is the first that asks for memory under this limit.
    told = one_sentence(limited(root, "run", SEGMENTS_MEMORY_LIMIT="1MB"))
    assert told.startswith("ingest: The memory did not suffice (Out of Memory Error: ")
    assert "SEGMENTS_MEMORY_LIMIT is 1MB: set it higher" in told
    assert "Readers keep the last good version." in told
    check_home(home(root))
    assert current_number(home(root)) == 1


# Two runs at once


@pytest.mark.slow
def test_of_two_runs_the_second_waits_and_can_be_stopped(undisturbed: Undisturbed):
    root = restored(undisturbed.delivered)
    place = home(root)
    first = crashes.command(root, "run", log="first")
    crashes.wait_until_told(root, "... ingest", log="first")
    second = crashes.command(root, "run", log="second")
    assert first.wait(600) == 0
    crashes.wait_until_told(root, "... build", log="second")
    # The second began when the first had published, and has nothing new to take.
    assert version_numbers(place) == [1, 2]
    assert "Published version 2 " in (place.logs / "first.log").read_text()
    assert differences(root, undisturbed.published) == {}

    second.terminate()
    assert second.wait(60) == 1
    told = (place.logs / "second.log").read_text()
    assert "Traceback" not in told
    assert told.count("Error: ") == 1
    assert "it was stopped from outside. Readers keep the last good version." in told
    check_home(place)
    assert version_numbers(place) == [1, 2]
    # Nothing is left at work: the build file is free at once.
    assert segments(root, "ingest").returncode == 0


# Folders that may not be written


@dataclass(frozen=True)
class Unprivileged:
    """A user whom permissions bind: what runs a command as this user, in a folder of its own."""

    folder: Path
    prefix: tuple[str, ...]
    user: int

    def own(self, root: Path, read_only: Path | None = None) -> None:
        """Give a home to the user, but for one folder that the user may only read."""
        for path in (root, *root.rglob("*")):
            is_locked = read_only is not None and path.is_relative_to(read_only)
            if self.user != os.geteuid() and not is_locked:
                os.chown(path, self.user, self.user, follow_symlinks=False)
            if is_locked and not path.is_symlink():
                path.chmod(0o555 if path.is_dir() else 0o444)


# Somebody else, or root without the right to pass over permissions.
BINDING = (
    (NOBODY, ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups")),
    (0, ("setpriv", "--inh-caps=-all", "--bounding-set=-dac_override,-dac_read_search")),
)


@pytest.fixture
def unprivileged() -> Iterator[Unprivileged]:
    # Not pytest's folder, which is closed to others.
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield Unprivileged(folder, *binding_user())
        for path in (folder, *folder.rglob("*")):
            if path.is_dir() and not path.is_symlink():
                path.chmod(0o700)


@functools.cache
def binding_user() -> tuple[tuple[str, ...], int]:
    if os.geteuid() != 0:
        return (), os.geteuid()
    for user, prefix in BINDING:
        with contextlib.suppress(FileNotFoundError):
            helped = subprocess.run(
                [*prefix, str(PROJECT / "segments"), "--help"], capture_output=True, check=False
            )
            if helped.returncode == 0:
                return prefix, user
    pytest.skip("root may write everywhere, and there is no setpriv to be anybody else")


def test_a_landing_folder_may_be_read_only(unprivileged: Unprivileged):
    root = unprivileged.folder / "home"
    deliver_three(root / "landing")
    unprivileged.own(root, read_only=root / "landing")
    done = limited(root, "ingest", prefix=unprivileged.prefix)
    assert done.returncode == 0, done.stderr
    assert "3 rows" in done.stdout


@pytest.mark.parametrize("read_only", [".", "warehouse", "published"])
def test_a_folder_that_is_read_only_is_a_sentence(unprivileged: Unprivileged, read_only: str):
    root = unprivileged.folder / "home"
    place = make_build(Home(root))
    publish(place)
    unprivileged.own(root, read_only=root / read_only)
    told = one_sentence(limited(root, "publish", prefix=unprivileged.prefix))
    assert "Set SEGMENTS_HOME to a folder that you may write" in told or (
        "This user" in told and "Give it the right to" in told
    )
    assert str(root) in told
    assert current_number(place) == 1


def test_a_home_in_a_read_only_folder_is_a_sentence(unprivileged: Unprivileged):
    parent = unprivileged.folder / "parent"
    parent.mkdir(mode=0o555)
    for command in ("run", "ingest", "status"):
        told = one_sentence(limited(parent / "home", command, prefix=unprivileged.prefix))
        assert "Set SEGMENTS_HOME to a folder that you may write" in told


def deliver_three(landing: Path, name: str = "1", **columns: str) -> None:
    orders = [{**order(f"o{n}", f"c{n}", "2026-03-05"), **columns} for n in range(3)]
    deliver(landing, "orders", orders, name)
    deliver(landing, "order_lines", [line(row["order_id"], "10.00") for row in orders], name)


# A clock that was set back

NOW = dt.datetime(2026, 11, 22, 9, 0, tzinfo=dt.UTC)
A_YEAR_BEFORE = NOW - dt.timedelta(days=365)


@pytest.mark.slow
def test_a_clock_set_back_a_year_loses_nothing(tmp_path: Path):
    """A later correction wins without a time of its own, and what is sold today is no future."""
    place = Home(tmp_path).prepare()
    deliver_three(place.landing)
    ingest(place, clock=lambda: NOW)
    deliver_three(place.landing, "2", status="cancelled")
    today = [order("new", "c1", "2026-11-22")]
    deliver(place.landing, "orders", today, "3")
    report = ingest(place, clock=lambda: A_YEAR_BEFORE)
    (told,) = report.warnings
    assert told.startswith(
        "The clock says 2025-11-22 09:00 (UTC), before the last delivery of 2026"
    )
    assert "Set the clock right" in told

    warm.call(place, "build", "--select", "+stg_shop__orders", "--exclude-resource-type", "test")
    with duckdb.connect(str(place.build_file), read_only=True) as build:
        times = build.execute(
            "select delivery_id, loaded_at from raw.deliveries order by 1"
        ).fetchall()
        orders = build.execute(
            "select order_id, rejection_reason from staging.stg_shop__orders order by 1"
        ).fetchall()
    assert [number for number, _ in times] == [1, 2, 3, 4, 5]
    assert {time for _, time in times} == {NOW.replace(tzinfo=None)}
    assert orders == [
        ("shop:new", None),
        *((f"shop:o{n}", "status_cancelled") for n in range(3)),
    ]


def test_a_clock_that_steps_back_a_second_is_not_worth_a_word(tmp_path: Path):
    place = Home(tmp_path).prepare()
    deliver_three(place.landing)
    ingest(place, clock=lambda: NOW)
    deliver_three(place.landing, "2", status="cancelled")
    assert ingest(place, clock=lambda: NOW - dt.timedelta(seconds=1)).warnings == []


def test_versions_are_numbered_by_sequence_whatever_the_clock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    place = Home(tmp_path)

    class Clock(dt.datetime):
        at = NOW

        @classmethod
        def now(cls, tz: dt.tzinfo | None = None) -> dt.datetime:
            return cls.at

    monkeypatch.setattr(publishing, "datetime", Clock)
    published_at = []
    for stamp in range(1, 5):
        make_build(place, stamp=stamp)
        # Each a year before the one before.
        Clock.at = NOW - dt.timedelta(days=365 * stamp)
        published = publish(place, keep=2)
        assert published.version == stamp
        seconds = Clock.at.timestamp()
        os.utime(published.path, (seconds, seconds))
        published_at.append(verify_version(published.path)["published_at"])
    assert published_at == sorted(published_at, reverse=True)
    assert version_numbers(place) == [3, 4]
    assert rollback(place).version == 3
    make_build(place, stamp=5)
    assert publish(place, keep=2).version == 5


# What the machine refuses, in a sentence


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (OSError(28, "No space left on device", "/a/b"), "The disk is full"),
        (OSError(122, "Disk quota exceeded"), "The disk is full"),
        ("(sqlite3.OperationalError) database or disk is full", "The disk is full"),
        (
            "Out of Memory Error: failed to offload data block of size 256.0 KiB (1.0 GiB/1.0 GiB "
            "used).",
            "The disk is full",
        ),
        ("Out of Memory Error: could not allocate block", "The memory did not suffice"),
        (MemoryError(), "The memory did not suffice"),
        (PermissionError(13, "Permission denied", "/a/b"), "may not read or write"),
        (OSError(30, "Read-only file system", "/a/b"), "may not read or write"),
        (
            'IO Error: Could not set lock on file "/a/b.duckdb": Conflicting lock is held in '
            "python (PID 42). See also",
            "/a/b.duckdb is held by process 42. Wait for it to end",
        ),
    ],
)
def test_what_the_machine_refuses_is_a_sentence(error, expected, tmp_path):
    told = trouble.sentence(error, tmp_path)
    assert told is not None
    assert expected in told
    assert "\n" not in told
    # Also where it is what another error comes from.
    outer = ValueError("a step failed")
    outer.__cause__ = error if isinstance(error, BaseException) else RuntimeError(error)
    assert trouble.sentence(outer, tmp_path) == told


def test_other_errors_are_left_as_they_are(tmp_path):
    for error in (ValueError("no such column"), "Binder Error: column a", KeyError("disk")):
        assert trouble.sentence(error, tmp_path) is None


@pytest.mark.parametrize("stubborn", [False, True])
def test_a_dbt_that_outlives_its_caller_is_ended(stubborn: bool):
    text = "import signal, time; print(flush=True); time.sleep(600)"
    if stubborn:
        text = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + text
    with subprocess.Popen([sys.executable, "-c", text], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        dbt.stop(process, wait_seconds=0.5)
        assert process.returncode == (-signal.SIGKILL if stubborn else -signal.SIGTERM)
        dbt.stop(process)
