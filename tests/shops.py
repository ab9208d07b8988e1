"""Small shops for tests, and the command line run on them as a user would."""

import csv
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest
from filelock import FileLock

from orchestration import dbt
from orchestration.control import Request
from orchestration.home import PROJECT, home
from orchestration.ingest import ingest
from orchestration.publish import publish
from tests import warm

SHARED_DATA = Path(os.environ.get("SEGMENTS_SHARED_DATA", PROJECT.parent / "shared" / "data"))


# What a copy of the project needs to run; dbt does not parse without the rows of unit tests.
COPIED = (
    "segments",
    "requirements",
    "dbt_project.yml",
    "profiles.yml",
    "pyproject.toml",
    "models",
    "seeds",
    "macros",
    "estimation",
    "orchestration",
    "sample",
    "tests/fixtures",
    "tests/generic",
    "tests/singular",
)


@dataclass(frozen=True)
class Warehouse:
    """A home that was run: what was delivered to it and how to read what it published."""

    root: Path
    landing: Path

    @property
    def current(self) -> Path:
        return self.root / "published" / "current"

    def connect(self) -> duckdb.DuckDBPyConnection:
        """Open both published files; their tables answer to their bare names."""
        connection = duckdb.connect(":memory:")
        names = []
        for path in sorted(self.current.resolve().glob("*.duckdb")):
            connection.execute(f"attach '{path}' as {path.stem} (read_only)")
            names.append(f"{path.stem}.main")
        connection.execute(f"set search_path = '{','.join(names)}'")
        return connection

    def build(self) -> duckdb.DuckDBPyConnection:
        """Open the private build file, for what is not published."""
        return duckdb.connect(str(self.root / "warehouse" / "build.duckdb"), read_only=True)


def segments(
    root: Path, *arguments: str, project: Path = PROJECT
) -> subprocess.CompletedProcess[str]:
    """Run `./segments` with its state under `root`."""
    return subprocess.run(
        [str(project / "segments"), *arguments],
        env={**os.environ, "SEGMENTS_HOME": str(root), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )


def run(root: Path, landing: Path | None = None, project: Path = PROJECT) -> Warehouse:
    """Run the main job and insist that it published."""
    options = [] if landing is None else ["--landing", str(landing)]
    if project == PROJECT:
        warm.hand_over(root)
    done = segments(root, "run", *options, project=project)
    assert done.returncode == 0, f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return Warehouse(root, landing or root / "landing")


def run_by_steps(root: Path, project: Path) -> tuple[Warehouse, str]:
    """Take the main job's three steps by the command line, which takes half as long as the job.

    Returns the warehouse and what the build printed.
    """
    printed = ""
    for arguments in (("ingest",), ("dbt", *dbt.BUILD_ARGUMENTS), ("publish",)):
        done = segments(root, *arguments, project=project)
        assert done.returncode == 0, f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        if arguments[0] == "dbt":
            printed = done.stdout + done.stderr
    return Warehouse(root, root / "landing"), printed


def quick_run(
    root: Path,
    request: Request | None = None,
    landing: Path | None = None,
    tested: bool = False,
) -> Warehouse:
    """Ingest, build and publish without Dagster, which takes a third as long as the main job.

    dbt's tests of the data, over a third of a build's time, run where `tested`: a law compares what
    two ways published, and one of them tested is enough.
    """
    place = home(root).prepare()
    ingest(place, landing, request=request)
    if tested:
        warm.call(place, *dbt.BUILD_ARGUMENTS)
    else:
        warm.call(place, *dbt.BUILD_ARGUMENTS, "--exclude-resource-type", "test")
        # What is not tested is never published: these tests vouch for it.
        with duckdb.connect(str(place.build_file)) as build:
            build.execute("update control.build_audit set passed = true")
    publish(place)
    return Warehouse(root, landing or place.landing)


def once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], str | None]) -> Path:
    """Return a folder that `make` fills once for all workers of a test run.

    Nothing may write to it: several tests read it at a time. What `make` returns is kept in
    `printed.txt` beside the folder's own files.
    """
    shared = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    root = shared / name
    with FileLock(shared / f"{name}.lock"):
        if not (root / "printed.txt").exists():
            shutil.rmtree(root, ignore_errors=True)
            root.mkdir()
            printed = make(root)
            (root / "printed.txt").write_text(printed or "", encoding="utf-8")
    return root


def deliver(
    landing: Path, feed: str, rows: Iterable[Mapping[str, object]], name: str = "1"
) -> Path:
    """Write rows as one delivery of a feed of the shop, with their keys as its header."""
    rows = list(rows)
    path = landing / "shop" / feed / f"{feed}_{name}.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def order(order_id: str, customer_id: str, day: str, **columns: object) -> dict[str, object]:
    """Return one completed order, placed at noon of `day`."""
    return {
        "order_id": order_id,
        "customer_id": customer_id,
        "ordered_at": f"{day} 12:00:00",
        "status": "completed",
        **columns,
    }


def line(order_id: str, price: str, **columns: object) -> dict[str, object]:
    """Return the one line of an order, a single piece at `price`."""
    return {"order_id": order_id, "line_number": 1, "quantity": 1, "unit_price": price, **columns}


def copy_project(copy: Path) -> Path:
    """Copy the project into an empty folder, to be changed by a test, with this environment."""
    for name in COPIED:
        source = PROJECT / name
        target = copy / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, target)
    (copy / ".venv").symlink_to(Path(sys.executable).parent.parent)
    return copy
