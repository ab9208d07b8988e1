"""Steps that are killed or meet a limit, and what must hold of a home afterwards."""

import csv
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb

from orchestration import dbt
from orchestration.audit import literal
from orchestration.copies import quoted
from orchestration.home import PROJECT, Home, home
from orchestration.readers import open_published
from orchestration.versions import (
    current_number,
    verify_version,
    version_numbers,
    versions_folder,
)
from tests import warm
from tests.shops import deliver, line, order, quick_run

# The same number, the same delays; another one tries other moments.
SEED = int(os.environ.get("SEGMENTS_KILL_SEED", "20261122"))
INGEST = """
    import sys
    from orchestration.home import home
    from orchestration.ingest import ingest

    place = home(sys.argv[1])
    print("started", flush=True)
    ingest(place)
"""
# The first file is about to be read: what goes before takes as long as some files.
INGEST_FILES = """
    import sys
    from orchestration.home import home
    from orchestration.ingest import ingest

    told = []

    def tell(step):
        if not told:
            print("started", flush=True)
        told.append(step)

    ingest(home(sys.argv[1]), progress=tell)
"""
PUBLISH = """
    import sys
    from orchestration.home import home
    from orchestration.publish import publish

    place = home(sys.argv[1])
    print("started", flush=True)
    publish(place)
"""
# All that a published table holds follows from what was delivered, but for the time of delivery.
WALL_CLOCK = {("deliveries", "loaded_at")}


@dataclass(frozen=True)
class Undisturbed:
    """Homes that were never disturbed, one after each step, and how long steps take, in seconds.

    `delivered` has published the first deliveries and not seen the second. `published` was built
    from nothing: what a home must be equal to in the end.
    """

    delivered: Path
    ingested: Path
    built: Path
    published: Path
    ingest_seconds: float
    build_seconds: float
    publish_seconds: float


Step = Callable[[int], subprocess.Popen[str]]


def undisturbed_homes(folder: Path) -> Undisturbed:
    """Return the homes under a folder, made where they are not there yet."""
    if folder not in _made:
        _made[folder] = _make_homes(folder)
    return _made[folder]


_made: dict[Path, Undisturbed] = {}


def _make_homes(folder: Path) -> Undisturbed:
    root = folder / "home"
    deliver_first(root / "landing")
    # Else every `./segments run` on a copy would read the project anew.
    warm.hand_over(root)
    quick_run(root, tested=True)
    deliver_second(root / "landing")
    kept = {"delivered": shutil.copytree(root, folder / "delivered", symlinks=True)}
    seconds = []
    for name, step in (
        ("ingested", lambda: _ended_after(script(root, INGEST_FILES))),
        ("built", lambda: _rebuilt(home(root))),
        ("published", lambda: _ended_after(script(root, PUBLISH))),
    ):
        seconds.append(step())
        kept[name] = shutil.copytree(root, folder / name, symlinks=True)
    assert current_number(home(root)) == 2
    return Undisturbed(*kept.values(), *seconds)


def _ended_after(process: subprocess.Popen[str]) -> float:
    """Wait for a step that says `started`, and return how long it took from then on."""
    began = time.monotonic()
    process.communicate(timeout=600)
    assert process.returncode == 0
    return time.monotonic() - began


def _rebuilt(place: Home) -> float:
    """Build everything anew from what was ingested, and return how long it took."""
    with duckdb.connect(str(place.build_file)) as build:
        build.execute("update control.increment set is_full_rebuild = true")
    began = time.monotonic()
    dbt.call(place, *dbt.BUILD_ARGUMENTS)
    return time.monotonic() - began


def restored(kept: Path) -> Path:
    """Return a copy of a home to disturb, where the others were: dbt parses anew in a new place."""
    root = kept.parent / "home"
    shutil.rmtree(root)
    return shutil.copytree(kept, root, symlinks=True)


def deliver_first(landing: Path) -> None:
    """Deliver ten months of a small shop."""
    orders = [
        order(f"o{number}", f"c{number % 13}", f"2026-{1 + number % 10:02}-{1 + number % 27:02}")
        for number in range(60)
    ]
    deliver(landing, "orders", orders)
    deliver(landing, "order_lines", [line(row["order_id"], "20.00") for row in orders])
    deliver(
        landing,
        "customers",
        [{"customer_id": f"c{number}", "customer_type": "consumer"} for number in range(17)],
    )
    deliver(landing, "interactions", [_interaction("i0", "c1", "2026-10-05", "review")])
    deliver(landing, "refunds", [_refund("r0", "o39", "2026-10-13")])


def deliver_second(landing: Path, files: int = 12, rows: int = 12_000) -> None:
    """Deliver new orders, a corrected and a cancelled one, a refund, and many interactions.

    The interactions are text that does not compress: enough for a step to be met half-way, and
    for a table to need more room than the build file has free.
    """
    new = [order(f"n{number}", f"c{number % 17}", "2026-11-02") for number in range(30)]
    # Of the month that is not over: a month-end of the history waits for its restatement.
    corrected = order("o9", "c5", "2026-10-10")
    cancelled = {**order("o19", "c6", "2026-10-20"), "status": "cancelled"}
    deliver(landing, "orders", [*new, corrected, cancelled], "2")
    deliver(landing, "order_lines", [line(row["order_id"], "30.00") for row in new], "2")
    deliver(landing, "refunds", [_refund("r1", "o29", "2026-11-03")], "2")
    draw = random.Random(1)
    for file in range(files):
        # Not by `deliver`: rows as dictionaries would take as long as a kill.
        path = landing / "shop" / "interactions" / f"interactions_2_{file:02}.csv"
        with path.open("w", newline="") as stream:
            writer = csv.writer(stream)
            writer.writerow(list(_interaction("", "", "", "")))
            writer.writerows(
                _interaction(
                    f"i{file}_{row}", f"c{row % 17}", "2026-11-02", f"{draw.random()}"
                ).values()
                for row in range(rows)
            )


def _interaction(number: str, customer: str, day: str, topic: str) -> dict[str, object]:
    return {
        "interaction_id": number,
        "customer_id": customer,
        "occurred_at": f"{day} 09:00:00",
        "interaction_type": "visit",
        "topic": topic,
    }


def _refund(number: str, order_id: str, day: str) -> dict[str, object]:
    return {
        "refund_id": number,
        "order_id": order_id,
        "refunded_at": f"{day} 10:00:00",
        "amount": "5.00",
    }


def command(root: Path, *arguments: str, log: str = "killed") -> subprocess.Popen[str]:
    """Start `./segments` in a session of its own, with its words in a log of the home."""
    return _start([str(PROJECT / "segments"), *arguments], root, log)


def script(root: Path, text: str) -> subprocess.Popen[str]:
    """Start a Python script on a home, in a session of its own; return once it says `started`."""
    started = _start([sys.executable, "-c", textwrap.dedent(text), str(root)], root, "killed")
    assert started.stdout is not None
    assert started.stdout.readline() == "started\n"
    return started


def _start(arguments: list[str], root: Path, log: str) -> subprocess.Popen[str]:
    with (Home(root).prepare().logs / f"{log}.log").open("a") as errors:
        return subprocess.Popen(
            arguments,
            cwd=PROJECT,
            env={**os.environ, "SEGMENTS_HOME": str(root)},
            stdout=subprocess.PIPE if arguments[0] == sys.executable else errors,
            stderr=errors,
            text=True,
            start_new_session=True,
        )


def wait_until_told(root: Path, text: str, log: str = "killed", seconds: float = 300.0) -> None:
    """Wait until a command has said something."""
    deadline = time.monotonic() + seconds
    while text not in (root / "logs" / f"{log}.log").read_text():
        assert time.monotonic() < deadline, f"{log} did not say {text!r}"
        time.sleep(0.1)


def killed_after(process: subprocess.Popen[str], delay: float) -> bool:
    """Wait, kill the process with all that it started, and say whether it was still at work."""
    time.sleep(delay)
    was_running = process.poll() is None
    # The group outlives its leader where that has children.
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        assert not was_running
    ended = process.wait()
    if process.stdout is not None:
        process.stdout.close()
    assert was_running or ended == 0, f"it failed by itself with {ended}"
    return was_running


def kill_repeatedly(
    name: str, kills: int, longest: float, step: Step, check: Callable[[], None]
) -> int:
    """Start a step and kill it, again and again, and check; return how often it was at work.

    Args:
        name: of the step, for the seed and the messages.
        kills: how many.
        longest: the longest time that a step is left alive, in seconds.
        step: starts it; gets the number of the kill.
        check: what must hold after each kill.
    """
    draw = random.Random(f"{SEED} {name}")
    met = 0
    for number in range(kills):
        delay = draw.uniform(0, longest)
        met += killed_after(step(number), delay)
        # Shown where a check fails.
        print(f"seed {SEED}, {name} {number}: killed after {delay:.3f} s")
        check()
    return met


def check_home(place: Home) -> None:
    """Assert that what is published is whole, and that the build file opens and accounts for all.

    A delivery is in the ledger with all of its rows, or nowhere.
    """
    number = current_number(place)
    assert number in version_numbers(place)
    for version in version_numbers(place):
        manifest = verify_version(versions_folder(place) / str(version))
        assert manifest["version"] == version
    manifest = verify_version((place.published / "current").resolve())
    for name in manifest["files"]:
        with open_published(place, name) as file:
            for table, facts in manifest["tables"].items():
                if facts["file"] == name:
                    found = file.execute(f"select count(*) from {quoted(table)}").fetchone()
                    assert found == (facts["rows"],), table
    check_ledger(place)


def check_ledger(place: Home) -> None:
    """Assert that the build file opens, and that each delivery is in it whole or not at all."""
    with duckdb.connect(str(place.build_file), read_only=True) as build:
        tables = build.execute(
            "select table_name from duckdb_columns() "
            "where schema_name = 'raw' and column_name = '_delivery_id'"
        ).fetchall()
        landed = " union all ".join(f"select _delivery_id from raw.{quoted(t)}" for (t,) in tables)
        astray = build.execute(
            f"with landed as ({landed}), "
            "counted as (select _delivery_id, count(*) as rows from landed group by all) "
            "select delivery_id, _delivery_id, rows_landed, rows from raw.deliveries "
            "full join counted on delivery_id = _delivery_id "
            "where rows is distinct from nullif(rows_landed, 0)"
        ).fetchall()
        assert astray == []
        numbers = build.execute("select delivery_id from raw.deliveries order by 1").fetchall()
        assert numbers == [(number,) for number in range(1, len(numbers) + 1)]


def differences(one: Path, other: Path) -> Mapping[str, int]:
    """Return how many rows of each published table two homes do not have in common."""
    found: dict[str, int] = {}
    with duckdb.connect(":memory:") as connection:
        tables = {}
        for side, root in (("one", one), ("other", other)):
            for path in sorted((root / "published" / "current").resolve().glob("*.duckdb")):
                alias = f"{side}_{path.stem}"
                connection.execute(f"attach {literal(path)} as {alias} (read_only)")
                for name, column in connection.execute(
                    "select table_name, column_name from duckdb_columns() "
                    "where database_name = ? order by table_name, column_index",
                    [alias],
                ).fetchall():
                    columns = tables.setdefault((path.stem, name), {}).setdefault(side, [])
                    if (name, column) not in WALL_CLOCK:
                        columns.append(column)
        for (file, name), columns in tables.items():
            assert columns.get("one") == columns.get("other"), name
            listed = ", ".join(map(quoted, columns["one"]))
            ours, theirs = (
                f"select {listed} from {side}_{file}.{quoted(name)}" for side in ("one", "other")
            )
            count = connection.execute(
                f"select count(*) from (({ours} except all {theirs}) "
                f"union all ({theirs} except all {ours}))"
            ).fetchone()
            assert count is not None
            found[name] = count[0]
    assert "customer_segments" in found
    return {name: count for name, count in found.items() if count}


def one_sentence(done: subprocess.CompletedProcess[str]) -> str:
    """Assert that a command failed with one sentence and no traceback; return the sentence."""
    assert done.returncode == 1, f"{done.stdout[-2000:]}\n{done.stderr[-3000:]}"
    assert "Traceback" not in done.stdout + done.stderr, done.stderr[-3000:]
    (told,) = re.findall(r"^Error: (.*)$", done.stderr, re.MULTILINE)
    return told
