"""`make bench`: what the warehouse costs, beside the best script by hand and its own budgets."""

import argparse
import sys
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path

from rich.console import Console

from benchmarks import by_hand, clv, ingest, measure
from benchmarks.data import Deliveries, deliveries
from benchmarks.measure import Cost
from benchmarks.results import RESULTS, Book, kept, render
from benchmarks.shops import Shop, Workplace
from orchestration.home import PROJECT

# Without the mart customer_value, which waits for the fits of CLV and for the clusters.
CORE = (
    "+customer_rfm",
    "+int_customers__value_bands",
    "+int_customers__abc_classes",
    "+int_customers__order_value_groups",
    "+int_customers__clv_formula",
    "+customer_lifecycle",
)
CUSTOMER_MODELS = "int_as_of_dates+"
MONTH_ENDS = 24

LIFETIMES_CUSTOMERS = 1_000_000  # it keeps a row a customer: more take minutes

STARTS = 3  # a start is a few seconds that noise would change; its median is taken away

# Without a terminal there is no width to keep to.
console = Console(width=None if Console().is_terminal else 160)


class Bench:
    """The benchmarks of one size of shop; each method is one part and fills the book."""

    def __init__(
        self,
        orders: int,
        customers: Sequence[int],
        folder: Path,
        results: Path,
        runs: int,
        keep: bool,
        python_of_lifetimes: Path | None = None,
    ) -> None:
        """Begin; each size of `customers` is one of the part `clv`, apart from the shop."""
        self.orders = orders
        self.customers = customers
        self.place = Workplace(folder / f"homes_{orders}")
        self.book = Book(orders, results)
        self._folder = folder
        self._runs = runs
        self._keep = keep
        self._python_of_lifetimes = python_of_lifetimes

    @cached_property
    def made(self) -> Deliveries:
        """The shop of this size, made where it is not yet."""
        return deliveries(self._folder, self.orders)

    def core(self) -> None:
        """From the raw tables to RFM and value: dbt's models beside one script by hand."""
        project = self.place.project(history_months=0, only_newest=True)
        empty, shop = self._shops("core", project)
        for one, landing in ((empty, empty.home / "landing"), (shop, self.made.history)):
            one.segments("ingest", "--landing", landing)
            one.prepare_dbt()
        start = median_of(lambda: empty.dbt("run", "--select", *CORE), STARTS)
        start_by_hand = median_of(lambda: self._by_hand(empty), STARTS)
        pairs = [
            (shop.dbt("run", "--select", *CORE), self._by_hand(shop)) for _ in range(self._runs)
        ]
        customers = by_hand.compare(shop.build_file, shop.home / "by_hand.duckdb")
        models, hand = (median(list(side)) for side in zip(*pairs, strict=True))
        models, hand = models - start, hand - start_by_hand
        facts = hand + (self._by_hand(shop, by_hand.FACTS) - start_by_hand)
        self.book.add("core path: dbt's start", start, note="the same command on an empty shop")
        self.book.add(
            "core path: models",
            models,
            models.cpu_seconds / hand.cpu_seconds,
            f"{shop.as_ofs()} as-ofs, {customers:,} customers, equal to the script's; "
            f"median of {self._runs}",
        )
        self.book.add("core path: by hand", hand, note="benchmarks/by_hand.sql")
        self.book.add(
            "core path: by hand, facts written",
            facts,
            models.cpu_seconds / facts.cpu_seconds,
            "and lines and orders as tables; the ratio is the models' to this",
        )
        self._say_dearest("core path", shop)
        self._leave(empty, shop)

    def daily(self) -> None:
        """A day with 0.1% new orders beside the full build: ingest, models, publish."""
        empty, shop = self._shops("daily", self.place.project(MONTH_ENDS))
        start = self._steps(empty, empty.home / "landing", "start")
        full = self._steps(shop, self.made.history, "full build", start)
        day = self._steps(shop, self.made.next_day, "daily run", start)
        for name in full:
            self.book.add(
                f"daily run: {name}", day[name], day[name].cpu_seconds / full[name].cpu_seconds
            )
        whole_full, whole_day = sum_of(full), sum_of(day)
        self.book.add(
            "full build", whole_full, note=f"start apart; file {shop.bytes_built() / 1e9:.1f} GB"
        )
        self.book.add(
            "daily run",
            whole_day,
            whole_day.cpu_seconds / whole_full.cpu_seconds,
            f"{self.made.new_orders:,} new orders; start apart",
        )
        self._leave(empty, shop)

    def _steps(
        self, shop: Shop, landing: Path, what: str, start: dict[str, Cost] | None = None
    ) -> dict[str, Cost]:
        """Ingest, build, publish; return what each cost, without tests and without the start."""
        runs = STARTS if start is None else 1
        ingest = median_of(lambda: shop.segments("ingest", "--landing", landing), runs)
        shop.prepare_dbt()
        models = median_of(lambda: shop.dbt("run"), runs)
        self._say_dearest(what, shop)
        # Only a build whose tests passed is published; what it built before, it builds again.
        with_tests = shop.dbt("build")
        publish = shop.segments("publish")
        steps = {"ingest": ingest, "models": models, "publish": publish}
        if start is None:
            self.book.add(f"{what} of ingest, dbt, publish", sum_of(steps), note="empty shop")
            return steps
        left = {name: cost - start[name] for name, cost in steps.items()}
        if what == "full build":
            for name, cost in left.items():
                self.book.add(f"{what}: {name}", cost)
        self.book.add(
            f"{what}: build with tests", with_tests, note=f"{shop.as_ofs()} as-ofs, with the start"
        )
        return left

    def backfill(self) -> None:
        """24 month-ends in one build beside the newest as-of alone: the customer models."""
        costs = {}
        for name, months in (("one as-of", 0), ("24 month-ends", MONTH_ENDS)):
            project = self.place.project(months, only_newest=months == 0)
            empty, shop = self._shops(f"backfill_{months}", project)
            for one, landing in ((empty, empty.home / "landing"), (shop, self.made.history)):
                one.segments("ingest", "--landing", landing)
                one.prepare_dbt()
                one.dbt("run")
            start = median_of(lambda one=empty: one.dbt("run", "--select", CUSTOMER_MODELS), STARTS)
            costs[name] = shop.dbt("run", "--select", CUSTOMER_MODELS) - start
            ratio = costs[name].cpu_seconds / costs["one as-of"].cpu_seconds
            self.book.add(
                name, costs[name], ratio if months else None, f"{shop.as_ofs()} as-ofs, start apart"
            )
            self._say_dearest(name, shop)
            self._leave(empty, shop)

    def ingest(self) -> None:
        """Rows a CPU second that ingestion takes, by format."""
        for figure in ingest.measure():
            seconds, ratio = float(str(figure["cpu_seconds"])), figure["ratio"]
            speed, least = int(float(str(figure["rows_per_cpu_second"]))), figure["budget"]
            self.book.add(
                str(figure["name"]),
                seconds,
                None if ratio is None else float(str(ratio)),
                f"{figure['rows']:,} order lines, {speed:,} a CPU second"
                + ("; ratio: to a plain load" if ratio else ""),
                f">= {least:,} rows a CPU second: {kept(speed >= int(str(least)))}"
                if least
                else "",
            )

    def clv(self) -> None:
        """Fit and scoring of so many customers with drawn histories, the models as dbt has them."""
        project = self.place.project(MONTH_ENDS)
        for customers in self.customers:
            shop = self.place.shop(f"clv_{customers}", project)
            shop.dbt("compile", "--quiet", "--select", *clv.MODELS)
            shop.build_file.unlink(missing_ok=True)
            clv.prepare(shop.build_file, customers)
            start = median_of(lambda shop=shop: self._clv_stage(shop, "start"), STARTS)
            costs = {
                stage: self._clv_stage(shop, stage) - start
                for stage in clv.STAGES
                if stage != "start"
            }
            costs = {
                "groups and fits": costs["groups"] + costs["fits"],
                **costs,
            }
            for stage, cost in costs.items():
                counted = ", ".join(
                    f"{clv.count(shop.build_file, model):,} {model}"
                    for model in clv.STAGES.get(stage, ())
                )
                self.book.add(
                    f"CLV, {customers:,} customers: {stage}",
                    cost,
                    note=counted or "start apart",
                    verdict=clv.verdict(customers, stage, cost.cpu_seconds),
                )
            if customers <= LIFETIMES_CUSTOMERS:
                self._lifetimes(shop, customers, costs["groups and fits"])
            self._leave(shop)

    def _lifetimes(self, shop: Shop, customers: int, own: Cost) -> None:
        """Fit the BG/NBD to the same customers with `lifetimes`, where a Python has it."""
        if self._python_of_lifetimes is None:
            console.print("lifetimes is not measured: no --lifetimes; at 1M it took 11.2 CPU s")
            return
        statistics = shop.home / "statistics.npy"
        clv.save_statistics(shop.build_file, statistics)
        script = PROJECT / "benchmarks" / "lifetimes_fit.py"
        command = [self._python_of_lifetimes, script, statistics]
        log = shop.home / "bench_logs" / "lifetimes.log"
        start = measure.run([*command, "start"], {}, log)
        cost = measure.run(command, {}, log) - start
        self.book.add(
            f"CLV, {customers:,} customers: lifetimes",
            cost,
            own.cpu_seconds / cost.cpu_seconds,
            "its fit of one model (BG/NBD); ratio: our groups and three fits to it",
        )

    def _clv_stage(self, shop: Shop, stage: str) -> Cost:
        compiled = shop.home / "warehouse" / "target" / "compiled"
        return measure.run(
            [sys.executable, "-m", "benchmarks.clv", shop.build_file, compiled, stage],
            {"PYTHONPATH": str(PROJECT)},
            shop.home / "bench_logs" / "clv.log",
        )

    def memory(self) -> None:
        """The whole pipeline as a user starts it, through Dagster and with all tests: its peak."""
        shop = self._shops("memory", self.place.project(MONTH_ENDS))[1]
        self.book.add(
            "whole run",
            shop.segments("run", "--landing", self.made.history),
            note="./segments run: first start, Dagster, all tests; peak of all processes together",
        )
        self._leave(shop)

    def _shops(self, name: str, project: Path) -> tuple[Shop, Shop]:
        """Return an empty shop, which shows what only starting costs, and one for the history."""
        return self.place.shop(f"{name}_empty", project), self.place.shop(name, project)

    def _leave(self, *shops: Shop) -> None:
        if not self._keep:
            self.place.remove(shops)

    def _by_hand(self, shop: Shop, script: Path = by_hand.SCRIPT) -> Cost:
        return measure.run(
            [
                *(sys.executable, "-m", "benchmarks.by_hand"),
                *(shop.build_file, shop.home / f"{script.stem}.duckdb", shop.project, script),
            ],
            {"PYTHONPATH": str(PROJECT)},
            shop.home / "bench_logs" / "by_hand.log",
        )

    def _say_dearest(self, what: str, shop: Shop) -> None:
        console.print(f"\nWhat dominates: {what} at {self.orders:,} orders (wall seconds)")
        for model, seconds in shop.dearest():
            console.print(f"  {seconds:8.2f}  {model}", highlight=False)


def median_of(command: Callable[[], Cost], runs: int) -> Cost:
    """Run a command several times and return the run of median CPU."""
    return median([command() for _ in range(runs)])


def median(costs: list[Cost]) -> Cost:
    """Return the cost of the run of median CPU, the cheaper of two in the middle."""
    return sorted(costs, key=lambda cost: cost.cpu_seconds)[(len(costs) - 1) // 2]


def sum_of(costs: dict[str, Cost]) -> Cost:
    """Return the cost of all steps together."""
    total = Cost(0, 0, 0)
    for cost in costs.values():
        total += cost
    return total


PARTS: dict[str, Callable[[Bench], None]] = {
    "core": Bench.core,
    "daily": Bench.daily,
    "backfill": Bench.backfill,
    "ingest": Bench.ingest,
    "clv": Bench.clv,
    "memory": Bench.memory,
}


def main() -> None:
    """Run the parts asked for and print their figures beside their budgets."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--orders", type=int, default=2_000_000, help="orders of the history")
    parser.add_argument(
        "--customers",
        type=lambda text: [int(size) for size in text.split(",")],
        default=[1_000_000, 10_000_000],
        help="customers of the part clv, sizes with commas between them",
    )
    parser.add_argument(
        "--lifetimes", type=Path, help="a Python that has the package lifetimes, for the part clv"
    )
    parser.add_argument("--only", default=",".join(PARTS), help="parts, with commas between them")
    parser.add_argument(
        "--folder",
        type=Path,
        default=PROJECT / "target" / "bench",
        help="holds the made shops, kept for the next time, and the homes, removed after use",
    )
    parser.add_argument("--results", type=Path, default=RESULTS, help="holds a file of rows a day")
    parser.add_argument("--runs", type=int, default=3, help="runs of the core path, by turns")
    parser.add_argument("--keep", action="store_true", help="keep the homes")
    given = parser.parse_args()
    chosen = given.only.split(",")
    if unknown := set(chosen) - set(PARTS):
        parser.error(f"unknown part {', '.join(sorted(unknown))}; known are {', '.join(PARTS)}")
    bench = Bench(
        given.orders,
        given.customers,
        given.folder.resolve(),
        given.results,
        given.runs,
        given.keep,
        given.lifetimes,
    )
    try:
        for part in chosen:
            PARTS[part](bench)
    finally:
        console.print()
        render(bench.book, console)


if __name__ == "__main__":
    main()
