"""Rows a CPU second that ingestion takes, beside DuckDB loading the same file without any check.

`python -m benchmarks.ingest [--rows N]`. Beside a CSV stands its load as untyped text, beside a
Parquet file `create table as select *`, both with one thread as ingestion has: with more, DuckDB
takes more CPU. User and system time count, without the start of Python and its imports.
"""

import argparse
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import duckdb
from rich.console import Console
from rich.table import Table

from orchestration.home import PROJECT, home
from orchestration.ingest import ingest

ROWS = 3_000_000
RUNS = 3
BUDGETS = {"csv": 1_000_000, "parquet": 5_000_000}  # rows a CPU second, architecture section 11
OPTIONS = {"csv": "header", "parquet": "compression zstd"}
PLAIN = {
    ".csv": "read_csv(?, all_varchar = true, header = true, delim = ',', quote = '\"')",
    ".parquet": "read_parquet(?)",
}

# Lines of orders in the order of their time, as a shop exports them: few have a discount, some no
# cost, and the lines of an order share its time. Hashes of the row make every value.
LINES = """
select
    'SO' || lpad((n // 3)::varchar, 8, '0') as order_id,
    n % 3 + 1 as line_number,
    'P' || lpad((hash(n) % 3000)::varchar, 4, '0') as product_id,
    cast(1 + hash(n, 1) % 4 as {quantity}) as quantity,
    cast((100 + hash(n, 2) % 100000) / 100 as {money}) as unit_price,
    case when hash(n, 3) % 8 = 0 then cast((hash(n, 4) % 2000) / 100 as {money}) end
        as discount_amount,
    case when hash(n, 5) % 8 > 0 then cast((50 + hash(n, 2) % 60000) / 100 as {money}) end
        as unit_cost,
    timestamp '2023-07-01' + interval 1 second * ((n // 3) * 47 + hash(n // 3) % 40)::bigint
        as updated_at
from range({rows}) as numbers (n)
"""
TYPES = {
    "csv": {"quantity": "int", "money": "decimal(18, 2)"},
    "parquet": {"quantity": "decimal(18, 6)", "money": "decimal(18, 6)"},
}


def measure(rows: int = ROWS) -> list[dict[str, object]]:
    """Return a figure per format and way of loading; each is a median of `RUNS`, taken by turns.

    A figure has `name`, `rows`, `cpu_seconds`, `rows_per_cpu_second`, `ratio` (of ingestion's CPU
    to the plain load's, None for that) and `budget` (of rows a CPU second, None where none is).
    """
    figures: list[dict[str, object]] = []
    with tempfile.TemporaryDirectory(prefix="bench_ingest_") as name:
        for kind in BUDGETS:
            landing = Path(name) / kind
            file = _deliver(landing, kind, rows)
            pairs = [(_apart("ingest", landing), _apart("plain", file)) for _ in range(RUNS)]
            taken, plain = (statistics.median(side) for side in zip(*pairs, strict=True))
            figures += [
                _figure(f"ingest {kind}", rows, taken, taken / plain, BUDGETS[kind]),
                _figure(f"plain load of {kind}", rows, plain),
            ]
    return figures


def _figure(
    name: str, rows: int, seconds: float, ratio: float | None = None, budget: int | None = None
) -> dict[str, object]:
    return {
        "name": name,
        "rows": rows,
        "cpu_seconds": seconds,
        "rows_per_cpu_second": rows / seconds,
        "ratio": ratio,
        "budget": budget,
    }


def _deliver(landing: Path, kind: str, rows: int) -> Path:
    file = landing / "shop" / "order_lines" / f"order_lines.{kind}"
    file.parent.mkdir(parents=True)
    query = LINES.format(rows=rows, **TYPES[kind])
    with duckdb.connect(config={"threads": "1"}) as connection:
        connection.execute(f"copy ({query}) to '{file}' (format {kind}, {OPTIONS[kind]})")
    return file


def _apart(work: str, source: Path) -> float:
    """Do one piece of work in a process of its own and a new folder; return its CPU seconds."""
    with tempfile.TemporaryDirectory(prefix="bench_ingest_") as folder:
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.ingest", "--apart", work, folder, source],
            cwd=PROJECT,
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        raise RuntimeError(f"{work} of {source} failed:\n{done.stderr[-3000:]}")
    return float(done.stdout)


def _ingested(folder: Path, landing: Path) -> None:
    (result,) = ingest(home(folder), landing).results
    if result.status != "landed" or result.rows_quarantined:
        raise RuntimeError(f"not taken whole: {result}")


def _plain(folder: Path, file: Path) -> None:
    with duckdb.connect(str(folder / "plain.duckdb"), config={"threads": "1"}) as connection:
        query = f"create table loaded as select * from {PLAIN[file.suffix]}"
        connection.execute(query, [str(file)])


def _cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def main() -> None:
    """Print the figures as a table; with `--apart` do one piece of work and print its CPU."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ingest", description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS, help="order lines in each file")
    parser.add_argument("--apart", nargs=3, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.apart:
        work, *places = given.apart
        before = _cpu_seconds()
        {"ingest": _ingested, "plain": _plain}[work](*map(Path, places))
        print(_cpu_seconds() - before)
        return
    table = Table("What", "Rows", "CPU s", "Rows per CPU s", "Times plain", "Budget", box=None)
    for column in table.columns[1:]:
        column.justify = "right"
    for one in measure(given.rows):
        table.add_row(
            str(one["name"]),
            f"{one['rows']:,}",
            f"{one['cpu_seconds']:.2f}",
            f"{one['rows_per_cpu_second']:,.0f}",
            f"{one['ratio']:.2f}" if one["ratio"] else "",
            f"{one['budget']:,}" if one["budget"] else "",
        )
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
