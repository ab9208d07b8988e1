"""The same facts delivered in different ways, and warehouses compared table by table.

`plan` makes from a generated shop what an honest source would deliver at once, and the way it
really comes: month by month, with wrong revisions first and facts that are late.
"""

import csv
import random
import shutil
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path

import duckdb

from orchestration import versions
from orchestration.home import home
from tests.shops import Warehouse

Row = dict[str, str]
Batch = dict[str, list[Row]]

# What a row of a feed is dated by; order lines go with their order.
DAYS = {
    "orders": "ordered_at",
    "refunds": "refunded_at",
    "customers": "registered_at",
    "interactions": "occurred_at",
    "campaign_contacts": "contacted_at",
    "campaigns": "started_at",
    "recommendations_shown": "shown_at",
}
# Tables outside of the laws: logs.
LOGS = ("deliveries", "restatements")
# Columns that name a delivery, and a place in a delivered file.
OF_DELIVERIES = {"rejected_rows": ("rejected_row_id", "delivery_id")}
OF_FILES = {"rejected_rows": ("rejected_row_id", "delivery_id", "record_number")}


@dataclass
class Plan:
    """The same facts twice: as they are in the end, and in the batches in which they come.

    `kinds` counts what was disturbed.
    """

    at_once: Batch
    batches: list[Batch]
    kinds: dict[str, int] = field(default_factory=lambda: defaultdict(int))


def read(landing: Path) -> Batch:
    """Read the generated files by feed, without those that correct or update others."""
    feeds: Batch = {}
    for folder in sorted((landing / "shop").iterdir()):
        feeds[folder.name] = []
        for file in sorted(folder.glob("*.csv")):
            if "correction" not in file.name and "update" not in file.name:
                with file.open(newline="") as stream:
                    feeds[folder.name] += csv.DictReader(stream)
    return feeds


def without_day(feeds: Batch, quiet: date) -> Batch:
    """Return the feeds without any fact of one day, and without what belongs to its orders."""
    gone = {row["order_id"] for row in feeds["orders"] if day_of(row["ordered_at"]) == quiet}

    def stays(feed: str, row: Row) -> bool:
        if feed in ("orders", "order_lines", "refunds", "interactions") and row["order_id"] in gone:
            return False
        moments = (row.get(name) for name in (DAYS.get(feed, ""), "verified_at"))
        return all(day_of(moment) != quiet for moment in moments if moment)

    return {feed: [row for row in rows if stays(feed, row)] for feed, rows in feeds.items()}


def plan(feeds: Batch, batches: int, failing: int, seed: int) -> Plan:
    """Deal the facts into batches by time, then disturb the order in which they come.

    A revision that corrects another comes one to four batches later with a greater `updated_at`;
    what is delivered at once holds only the one that is right.

    Args:
        feeds: rows by feed.
        batches: how many.
        failing: the batch whose run will fail; costs of products go up in it and back in the next.
        seed: decides what is disturbed.
    """
    dealer = _Dealer(feeds, batches, random.Random(seed))
    dealer.deal_orders()
    for feed in sorted(set(feeds) - {"orders", "order_lines"}):
        dealer.deal(feed)
    dealer.change_product_costs(failing)
    return dealer.made


class _Dealer:
    def __init__(self, feeds: Batch, batches: int, chance: random.Random) -> None:
        self.feeds = {feed: [dict(row) for row in rows] for feed, rows in feeds.items()}
        self.made = Plan(self.feeds, [defaultdict(list) for _ in range(batches)])
        self.chance = chance
        self.last = batches - 1
        moments = [datetime.fromisoformat(row["ordered_at"]) for row in self.feeds["orders"]]
        self.start, self.end = min(moments), max(moments)
        self.length = (self.end - self.start) / batches
        self.customers = sorted(row["customer_id"] for row in self.feeds["customers"])
        self.orders = sorted(row["order_id"] for row in self.feeds["orders"])

    def give(self, feed: str, batch: int, rows: Iterable[Row]) -> None:
        self.made.batches[min(batch, self.last)][feed] += [dict(row) for row in rows]

    def batch_of(self, moment: str) -> int:
        if not moment:
            return 0
        number = int((datetime.fromisoformat(moment) - self.start) / self.length)
        return max(0, min(self.last, number))

    def later_than(self, batch: int) -> int:
        return min(self.last, batch + self.chance.randint(1, 4))

    def note(self, kind: str) -> str:
        self.made.kinds[kind] += 1
        return kind

    def deal_orders(self) -> None:
        lines: dict[str, list[Row]] = defaultdict(list)
        for row in self.feeds["order_lines"]:
            lines[row["order_id"]].append(row)
        kinds = ["customer", "guest", "date", "completed", "cancelled", "price", "line", "late"]
        for order in self.feeds["orders"]:
            batch = self.batch_of(order["ordered_at"])
            late = self.later_than(batch)
            its_lines = lines[order["order_id"]]
            kind = self.chance.choice(kinds) if self.chance.random() < 0.35 else ""
            is_completed = order["status"] == "completed"
            if late == batch or (kind in ("completed", "cancelled") and not is_completed):
                kind = ""
            if not kind:
                self.give("orders", batch, [order])
                self.give("order_lines", batch, its_lines)
                continue
            self.note(f"order: {kind}")
            if kind == "late":
                self.give("orders", late, [order])
                self.give("order_lines", late, its_lines)
            elif kind in ("price", "line"):
                wrong = [earlier(line) for line in its_lines]
                if kind == "price":
                    wrong[-1]["unit_price"] = "7.77"
                else:
                    wrong.append({**wrong[-1], "line_number": str(len(wrong) + 100)})
                self.give("orders", batch, [order])
                self.give("order_lines", batch, wrong)
                self.give("order_lines", late, its_lines)
            else:
                if kind == "cancelled":
                    order["status"] = "cancelled"
                self.give("orders", batch, [self.wrong_order(order, kind)])
                self.give("orders", late, [order])
                self.give("order_lines", batch, its_lines)

    def wrong_order(self, order: Row, kind: str) -> Row:
        wrong = earlier(order)
        if kind == "customer":
            wrong["customer_id"] = self.chance.choice(self.customers)
        elif kind == "guest":
            wrong["customer_id"] = ""
        elif kind == "date":
            days = timedelta(days=self.chance.choice([-200, -40, -1, 1, 40]))
            wrong["ordered_at"] = str(
                min(datetime.fromisoformat(order["ordered_at"]) + days, self.end)
            )
        else:
            wrong["status"] = "cancelled" if kind == "completed" else "completed"
        return wrong

    def deal(self, feed: str) -> None:
        for row in self.feeds[feed]:
            batch = self.batch_of(row.get(DAYS.get(feed, ""), ""))
            late = self.later_than(batch)
            chance = self.chance.random()
            if late == batch:
                self.give(feed, batch, [row])
            elif feed == "refunds" and chance < 0.9:
                self.deal_refund(row, batch, late)
            elif feed == "customers" and chance < 0.1:
                self.note("customer")
                days = ["", "2025-04-02 08:00:00", "2026-01-05 08:00:00"]
                wrong = {**earlier(row), "city": "Nowhere"}
                self.give(feed, batch, [{**wrong, "registered_at": self.chance.choice(days)}])
                self.give(feed, late, [row])
            elif feed == "interactions" and chance < 0.05:
                kind = self.note(f"interaction: {self.chance.choice(['customer', 'day', 'type'])}")
                wrong = earlier(row)
                if kind.endswith("customer"):
                    wrong["customer_id"] = self.chance.choice(self.customers)
                elif kind.endswith("day"):
                    moment = datetime.fromisoformat(row["occurred_at"]) - timedelta(days=45)
                    wrong["occurred_at"] = str(moment)
                else:
                    wrong["interaction_type"] = "unheard_of"
                self.give(feed, batch, [wrong])
                self.give(feed, late, [row])
            elif feed in ("interactions", "campaign_contacts") and chance > 0.97:
                self.note(f"{feed}: late")
                self.give(feed, late, [row])
            else:
                self.give(feed, batch, [row])

    def deal_refund(self, row: Row, batch: int, late: int) -> None:
        """Deliver a refund wrong first, or turned into a credit note and back, or late."""
        kinds = ["order", "date", "credit note and back", "order, now credit note", "late"]
        kind = self.chance.choice(kinds)
        self.note(f"refund: {kind}")
        late = max(late, batch + 2)
        if kind == "credit note and back":
            self.give("refunds", batch, [earlier(row, 2)])
            credit_note = {**earlier(row), "order_id": "", "line_number": ""}
            self.give("refunds", batch + 1, [credit_note])
        elif kind == "order, now credit note":
            self.give("refunds", batch, [earlier(row)])
            row.update(order_id="", line_number="")
        elif kind == "order":
            other = {"order_id": self.chance.choice(self.orders), "line_number": ""}
            self.give("refunds", batch, [{**earlier(row), **other}])
        elif kind == "date":
            moment = datetime.fromisoformat(row["refunded_at"]) - timedelta(days=3)
            self.give("refunds", batch, [{**earlier(row), "refunded_at": str(moment)}])
        self.give("refunds", late, [row])

    def change_product_costs(self, failing: int) -> None:
        """Let costs that count change, some once and some up and back again."""
        sold = {row["product_id"] for row in self.feeds["order_lines"] if not row["unit_cost"]}
        first = self.made.batches[0]["products"]
        costed = [row for row in self.feeds["products"] if row["unit_cost"]]
        for number, row in enumerate(row for row in costed if row["product_id"] in sold):
            if number % 4 > 1:
                continue
            first.remove(row)
            wrong = {**earlier(row), "unit_cost": "1.23"}
            if number % 4:
                self.note("product: cost")
                first.append(wrong)
                self.give("products", self.chance.randint(1, self.last), [row])
            else:
                self.note("product: cost up and back")
                first.append(earlier(row, 2))
                self.give("products", failing, [wrong])
                self.give("products", failing + 1, [row])


def earlier(row: Row, hours: int = 1) -> Row:
    """Return an older revision of a row."""
    moment = datetime.fromisoformat(row["updated_at"]) - timedelta(hours=hours)
    return {**row, "updated_at": str(moment)}


def day_of(moment: str) -> date:
    return datetime.fromisoformat(moment).date()


def write(folder: Path, batch: Mapping[str, list[Row]], name: str) -> list[Path]:
    """Write one delivery per feed and return the files."""
    files = []
    for feed, rows in batch.items():
        if rows:
            path = folder / "shop" / feed / f"{feed}_{name}.csv"
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("w", newline="") as stream:
                writer = csv.DictWriter(stream, fieldnames=list(rows[0]))
                writer.writeheader()
                writer.writerows(rows)
            files.append(path)
    return files


def add(root: Path, files: Iterable[Path], prefix: str = "") -> None:
    """Deliver copies of written files to a home, under names that begin with `prefix`."""
    for file in files:
        target = root / "landing" / "shop" / file.parent.name / f"{prefix}{file.name}"
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, target)


def checksums(warehouse: Warehouse, without: Iterable[str] = ()) -> dict[str, str]:
    """Return the manifest's checksum of every published table outside of the logs."""
    manifest = versions.current(home(warehouse.root))
    assert manifest is not None
    tables = manifest["tables"]
    return {name: tables[name]["checksum"] for name in sorted({*tables} - {*LOGS} - {*without})}


def differences(
    one: Warehouse,
    other: Warehouse,
    ignored: Mapping[str, tuple[str, ...]],
    conditions: Mapping[str, str] | None = None,
) -> dict[str, tuple[int, int, list[tuple]]]:
    """Return the published tables that differ: rows only in one, only in the other, and some.

    Args:
        one: a warehouse.
        other: the warehouse to compare it with.
        ignored: columns to leave out, by table.
        conditions: the rows to look at, by table; all by default.
    """
    tables = checksums(one).keys()
    assert tables == checksums(other).keys()
    found = {}
    with duckdb.connect(":memory:") as connection:
        names: dict[tuple[str, str], str] = {}
        for side, warehouse in (("one", one), ("other", other)):
            for path in sorted(warehouse.current.resolve().glob("*.duckdb")):
                alias = f"{side}_{path.stem}"
                connection.execute(f"attach '{path}' as {alias} (read_only)")
                held = connection.execute(
                    "select table_name from duckdb_tables() where database_name = ?", [alias]
                ).fetchall()
                names.update({(side, name): f"{alias}.main.{name}" for (name,) in held})
        for table in tables:
            without = ignored.get(table)
            columns = f" exclude ({', '.join(without)})" if without else ""
            condition = (conditions or {}).get(table, "true")
            rows = [
                f"select *{columns} from {names[side, table]} where {condition}"
                for side in ("one", "other")
            ]
            only_one = connection.execute(f"{rows[0]} except all {rows[1]}").fetchall()
            only_other = connection.execute(f"{rows[1]} except all {rows[0]}").fetchall()
            if only_one or only_other:
                found[table] = (len(only_one), len(only_other), only_one[:2] + only_other[:2])
    return found
