"""The rows of a benchmark: kept in `results/`, printed beside their budgets."""

import csv
import os
import platform
import subprocess
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.measure import Cost
from orchestration.home import PROJECT

RESULTS = Path(__file__).with_name("results")

# Section 11 of the architecture: the figure, its bound, its unit, and whether less is better.
BUDGETS = {
    "core path: models": ("ratio", 1.5, "x by hand"),
    "daily run": ("ratio", 0.10, "of the full build"),
    "24 month-ends": ("ratio", 20.0, "x one as-of"),
}
PEAK_BUDGETS_MB = {20_000_000: 2_000, 100_000_000: 6_000}


@dataclass(frozen=True)
class Row:
    """One figure of one run. Costs are seconds and megabytes; what does not apply is None."""

    date: str
    commit: str
    machine: str
    what: str
    orders: int
    cpu_seconds: float | None = None
    wall_seconds: float | None = None
    peak_mb: float | None = None
    ratio: float | None = None
    note: str = ""


class Book:
    """The rows of one run of the benchmarks, each kept as soon as it is known."""

    def __init__(self, orders: int, folder: Path = RESULTS) -> None:
        """Begin a run on a shop of this many orders; its rows go to the day's file in `folder`."""
        self._orders = orders
        self._began = datetime.now(UTC)
        self._commit = commit()
        self._file = folder / f"{self._began:%Y-%m-%d}.csv"
        self.rows: list[tuple[Row, str]] = []

    def add(
        self,
        what: str,
        cost: Cost | float,
        ratio: float | None = None,
        note: str = "",
        verdict: str = "",
    ) -> None:
        """Keep a figure and append it to the day's file.

        Args:
            what: what was measured.
            cost: what it cost; CPU seconds alone where no more is known.
            ratio: beside what the note says, or the budget.
            note: what a reader has to know.
            verdict: the budget and whether it is kept, where it is not a bound of the ratio.
        """
        known = cost if isinstance(cost, Cost) else None
        row = Row(
            date=self._began.isoformat(timespec="seconds"),
            commit=self._commit,
            machine=machine(),
            what=what,
            orders=self._orders,
            cpu_seconds=round(cost.cpu_seconds if isinstance(cost, Cost) else cost, 2),
            wall_seconds=_rounded(known and known.wall_seconds, 2),
            peak_mb=_rounded(known and known.peak_mb, 0),
            ratio=_rounded(ratio, 3),
            note=note,
        )
        self.rows.append((row, verdict or budget(row)))
        append(row, self._file)


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)


def append(row: Row, path: Path) -> None:
    """Append a row to a file of results, with a header where the file is new."""
    path.parent.mkdir(parents=True, exist_ok=True)
    is_new = not path.exists()
    with path.open("a", newline="") as stream:
        writer = csv.DictWriter(stream, [field.name for field in fields(Row)], lineterminator="\n")
        if is_new:
            writer.writeheader()
        writer.writerow(asdict(row))


def commit() -> str:
    """Return the commit measured, with a plus where files beside it were changed."""
    return _git("rev-parse", "--short", "HEAD") + (
        "+"
        if _git("status", "--porcelain", "models", "macros", "seeds", "estimation", "orchestration")
        else ""
    )


def _git(*arguments: str) -> str:
    done = subprocess.run(
        ["git", *arguments], cwd=PROJECT, capture_output=True, text=True, check=False
    )
    return done.stdout.strip()


def machine() -> str:
    """Describe this machine: processors, their kind, memory."""
    names = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    kind = names[0] if names else platform.machine()
    return f"{len(os.sched_getaffinity(0))} x {kind}, {memory:.0f} GiB"


def budget(row: Row) -> str:
    """Return the budget of a row and whether it keeps it; empty where there is none."""
    if row.what in BUDGETS and row.ratio is not None:
        _, bound, unit = BUDGETS[row.what]
        return f"<= {bound:g} {unit}: {kept(row.ratio <= bound)}"
    bound = PEAK_BUDGETS_MB.get(row.orders)
    if row.what == "whole run" and bound and row.peak_mb is not None:
        return f"<= {bound} MB: {kept(row.peak_mb <= bound)}"
    return ""


def kept(is_kept: bool) -> str:
    """Say in a word whether a budget is kept."""
    return "kept" if is_kept else "MISSED"


def render(book: Book, console: Console) -> None:
    """Print the rows of a run as one table."""
    table = Table("What", "CPU s", "Wall s", "Peak MB", "Ratio", "Budget", "Note", box=None)
    for column in table.columns[1:5]:
        column.justify = "right"
    for row, verdict in book.rows:
        table.add_row(
            row.what,
            _shown(row.cpu_seconds, ",.1f"),
            _shown(row.wall_seconds, ",.1f"),
            _shown(row.peak_mb, ",.0f"),
            _shown(row.ratio, ".3g"),
            verdict,
            row.note,
        )
    console.print(table)


def _shown(value: float | None, form: str) -> str:
    return "" if value is None else format(value, form)
