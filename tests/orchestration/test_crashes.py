"""kill -9 at random moments: readers keep a whole version, the next run ends as if nothing was.

Ingesting and publishing are killed ten times each. A build takes seconds, so that it is killed
three times, or as often as SEGMENTS_KILLS says (ten before a release). SEGMENTS_KILL_SEED draws
other moments; where a test fails, the seed is printed. Kills follow each other on one home, so that
each meets what the ones before it left.

A publish that is killed at each of its steps is in test_publish.py.
"""

import contextlib
import os
import signal
import subprocess

import pytest

from orchestration import dbt
from orchestration.audit import open_build, read_audit, read_deliveries, why_not_publishable
from orchestration.home import Home, home
from orchestration.versions import current_number
from tests.figures import record
from tests.orchestration import crashes
from tests.orchestration.crashes import (
    Undisturbed,
    check_home,
    differences,
    kill_repeatedly,
    one_sentence,
    restored,
)
from tests.shops import quick_run, segments

KILLS = 10
KILLED_BUILDS = int(os.environ.get("SEGMENTS_KILLS", "3"))

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    return crashes.undisturbed_homes(tmp_path_factory.getbasetemp() / "undisturbed")


def test_a_killed_ingestion(undisturbed: Undisturbed):
    root = restored(undisturbed.delivered)
    taken = []

    def check() -> None:
        check_home(home(root))
        taken.append(len(deliveries(home(root))))
        assert current_number(home(root)) == 1

    # A part: each goes on where the one before was killed, and the last should still meet work.
    met = kill_repeatedly(
        "ingest",
        KILLS,
        undisturbed.ingest_seconds / 6,
        lambda number: crashes.script(
            root, crashes.INGEST if number % 3 == 0 else crashes.INGEST_FILES
        ),
        check,
    )
    print(f"deliveries in the ledger after each kill: {taken}")
    record("kills_of_ingestion", KILLS, "kills")
    assert taken == sorted(taken)
    # Else the kills proved nothing.
    assert met > KILLS / 3
    assert len(set(taken)) > 2

    quick_run(root, tested=True)
    assert differences(root, undisturbed.published) == {}


def test_a_killed_build(undisturbed: Undisturbed):
    root = restored(undisturbed.ingested)
    place = home(root)
    before = invocation(place)

    def check() -> None:
        check_home(place)
        assert current_number(place) == 1
        # Half a build never looks like a whole one.
        assert is_publishable(place) == (invocation(place) not in (None, before))

    met = kill_repeatedly(
        "build",
        KILLED_BUILDS,
        undisturbed.build_seconds,
        lambda number: crashes.command(root, "dbt", *dbt.BUILD_ARGUMENTS),
        check,
    )
    assert met > KILLED_BUILDS / 3
    # With the one below.
    record("kills_of_builds", KILLED_BUILDS + 1, "kills")

    # The one that calls dbt dies alone, as where the kernel runs out of memory; dbt goes on.
    runner = crashes.command(root, "run")
    crashes.wait_until_told(root, "... build")
    os.kill(runner.pid, signal.SIGKILL)
    runner.wait()
    second = segments(root, "ingest")
    if second.returncode != 0:
        assert "is held by process" in one_sentence(second)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(runner.pid, signal.SIGKILL)
    check_home(place)

    quick_run(root, tested=True)
    assert differences(root, undisturbed.published) == {}


def test_a_killed_publish(undisturbed: Undisturbed):
    root = restored(undisturbed.built)
    place = home(root)
    served = []

    def step(number: int) -> subprocess.Popen[str]:
        if current_number(place) != 1:
            # Files that are published already are only linked: too quick to be met.
            restored(undisturbed.built)
        return crashes.script(root, crashes.PUBLISH)

    def check() -> None:
        check_home(place)
        served.append(current_number(place))
        assert set(served) <= {1, 2}

    # A little longer than it takes, to meet what follows the switch.
    met = kill_repeatedly("publish", KILLS, 1.2 * undisturbed.publish_seconds, step, check)
    print(f"versions served after each kill: {served}")
    record("kills_of_publishing", KILLS, "kills")
    assert met > KILLS / 3

    quick_run(root, tested=True)
    assert differences(root, undisturbed.published) == {}
    left = [*place.published.glob("*.tmp"), *(place.published / "versions").glob("*.tmp")]
    assert left == []


def deliveries(place: Home) -> list[int]:
    with open_build(place) as build:
        return [delivery.delivery_id for delivery in read_deliveries(build)]


def invocation(place: Home) -> str | None:
    """Return which build left its audit in the build file."""
    with open_build(place) as build:
        found = read_audit(build)
    return None if found is None else found.invocation_id


def is_publishable(place: Home) -> bool:
    newest = deliveries(place)[-1]
    with open_build(place) as build:
        return why_not_publishable(read_audit(build), newest) is None
