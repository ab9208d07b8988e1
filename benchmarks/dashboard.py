"""How long the dashboard's pages take in a browser at a million customers (budget: 2 s each).

`python -m benchmarks.dashboard HOME [--customers N]`. HOME holds a published version (`make demo`).
Its tables are multiplied: each customer becomes many, with ids and orders of their own, so that the
files have the size and the spread of a business of that many customers. Sums by segment and shares
stand as they are in the tables of aggregates, which do not grow. Each page is opened three times,
until its charts are drawn: by its first reader since the server started, again, and with a filter
that nobody has asked for yet.
"""

import argparse
import shutil
import statistics
import tempfile
import time
from pathlib import Path

import duckdb
from playwright.sync_api import Page, sync_playwright
from rich.console import Console
from rich.table import Table

from dashboard.serve import SETTLED, served
from orchestration.home import PROJECT, home
from orchestration.versions import current_number, versions_folder

BUDGET_SECONDS = 2.0
PAGES = ("", "rfm", "value", "lifecycle", "clv", "movements", "segments", "customer", "trust")
# Rows of these grow with the customers; all else are aggregates.
BY_CUSTOMER = {
    "marts": (
        *("customer_rfm", "customer_value", "customer_engagement", "customer_lifecycle"),
        *("customer_profiles", "customer_clv", "customer_clusters", "customer_segments"),
        "segment_reasons",
    ),
    "history": ("customer_segments_history", "lifecycle_transitions"),
    "facts": ("sales_ledger", "orders", "customers"),
}


def multiply(source: Path, target: Path, times: int) -> None:
    """Write the files of a version once more into `target`, each customer `times` over."""
    target.mkdir(parents=True)
    for name, tables in BY_CUSTOMER.items():
        with duckdb.connect(config={"memory_limit": "4GB", "threads": 2}) as connection:
            connection.execute(f"attach '{source / name}.duckdb' as old (read_only)")
            connection.execute(f"attach '{target / name}.duckdb' as new (storage_version 'v1.0.0')")
            for (table,) in connection.execute(
                "select table_name from duckdb_tables() where database_name = 'old'"
            ).fetchall():
                columns = "*"
                origin = f"old.{table}"
                if table in tables:
                    columns = "* exclude (copy) replace (customer_id || '-' || copy as customer_id)"
                    # Copies lie together, as the customers of a day or a month-end do.
                    origin = f"old.{table}, range({times}) as copies (copy)"
                connection.execute(f"create table new.{table} as select {columns} from {origin}")
            connection.execute("checkpoint new")
    shutil.copyfile(source / "manifest.json", target / "manifest.json")


def big_home(small: Path, folder: Path, customers: int) -> Path:
    """Return a home whose published version has so many customers, made from that of `small`."""
    place = home(small)
    number = current_number(place)
    source = versions_folder(place) / str(number)
    with duckdb.connect(str(source / "marts.duckdb"), read_only=True) as connection:
        ((there,),) = connection.execute("select count(*) from customer_segments").fetchall()
    target = folder / "published" / "versions" / str(number)
    multiply(source, target, -(-customers // there))
    (folder / "published" / "current").symlink_to(Path("versions") / str(number))
    return folder


def seconds_of(page: Page, address: str) -> float:
    """Open a page and return when its last line is there, in seconds."""
    started = time.perf_counter()
    page.goto(address)
    page.locator(".seg-foot", has_text="ersion").wait_for(state="attached", timeout=120_000)
    page.wait_for_function(SETTLED, timeout=120_000)
    return time.perf_counter() - started


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("home", type=Path)
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=3)
    asked = parser.parse_args()
    console = Console()
    with tempfile.TemporaryDirectory(dir=PROJECT / "target") as folder, sync_playwright() as play:
        console.print(f"Making {asked.customers:,} customers ...")
        place = big_home(asked.home, Path(folder) / "home", asked.customers)
        browser = play.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        table = Table("Page", "First reader", "Again", "With a filter", "Budget")
        for path in PAGES:
            times: dict[str, list[float]] = {"new": [], "again": [], "filtered": []}
            for _ in range(asked.runs):
                with served(home(place), Path(folder) / "server.log") as address:
                    # The app's own start, and Plotly's in a browser, are in no page.
                    seconds_of(page, f"{address}/{'rfm' if path == 'movements' else 'movements'}")
                    # What it asks ahead is answered by then: the budget is that of an idle machine.
                    time.sleep(6)
                    times["new"].append(seconds_of(page, f"{address}/{path}"))
                    times["again"].append(seconds_of(page, f"{address}/{path}"))
                    times["filtered"].append(seconds_of(page, f"{address}/{path}?type=business"))
            middle = {name: statistics.median(each) for name, each in times.items()}
            kept = "kept" if max(middle.values()) <= BUDGET_SECONDS else "missed"
            table.add_row(path or "overview", *(f"{each:.2f}" for each in middle.values()), kept)
        console.print(table)
        browser.close()


if __name__ == "__main__":
    main()
