"""A small shop that delivers files, under a contract the test can change."""

import copy
import datetime as dt
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
import yaml

from orchestration import contracts
from orchestration.home import Home
from orchestration.ingest import DeliveryResult, IngestReport, ingest

NOON = dt.datetime(2024, 5, 1, 12, 0, tzinfo=dt.UTC)
COLUMNS = [
    {"name": "order_id", "data_type": "string", "config": {"meta": {"required": True}}},
    {"name": "name", "data_type": "string"},
    {"name": "amount", "data_type": "decimal(18,6)"},
]


class Shop:
    """A home, a contract of one feed `shop/orders`, and what the warehouse holds after a run."""

    def __init__(self, root: Path):
        self.root = root
        self.home = Home(root / "home")
        self.contract = {"maximum_quarantined_share": 0.01, "minimum_quarantined_rows": 100}
        self.columns = copy.deepcopy(COLUMNS)
        self.meta = {"required": True, "key": ["order_id"]}
        self.contracts_file = root / "models" / "staging" / "shop" / "_shop__sources.yml"

    def write_contract(self):
        table = {"name": "orders", "columns": self.columns, "config": {"meta": self.meta}}
        source = {
            "name": "shop",
            "config": {"meta": {"contract": self.contract}},
            "tables": [table],
        }
        self.contracts_file.parent.mkdir(parents=True, exist_ok=True)
        self.contracts_file.write_text(yaml.safe_dump({"version": 2, "sources": [source]}))

    def load(self):
        self.write_contract()
        return contracts.load(self.root / "models")

    def path(self, name: str) -> Path:
        folder = self.home.landing / "shop" / "orders"
        folder.mkdir(parents=True, exist_ok=True)
        return folder / name

    def deliver(self, content: bytes | str, name: str = "a.csv") -> Path:
        path = self.path(name)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def ingest(self, clock: Callable[[], dt.datetime] = lambda: NOON) -> IngestReport:
        return ingest(self.home, contracts=self.load(), clock=clock)

    def take(self, content: bytes | str, name: str = "a.csv") -> DeliveryResult:
        """Deliver one file, ingest, and return its one ledger row."""
        self.deliver(content, name)
        (result,) = self.ingest().results
        return result

    def query(self, sql: str, *parameters: object) -> list[tuple]:
        with duckdb.connect(str(self.home.build_file)) as connection:
            connection.execute("set TimeZone = 'UTC'")
            return connection.execute(sql, list(parameters)).fetchall()

    def rows(self, columns: str = "order_id, name, amount::varchar") -> list[tuple]:
        return self.query(f"select {columns} from raw.shop__orders order by _row_number")

    def quarantine(self) -> list[tuple]:
        return self.query(
            "select line_number, column_name, reason, raw_text from raw.quarantine "
            "order by delivery_id, line_number"
        )

    def typed(self, data_type: str, **meta: object) -> "Shop":
        """Give the feed one required id and one column `value` of this type."""
        value = {"name": "value", "data_type": data_type, "config": {"meta": meta}}
        self.columns = [*copy.deepcopy(COLUMNS[:1]), value]
        return self


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


@pytest.fixture
def shop_in(tmp_path: Path) -> Callable[[str], Shop]:
    """Make a shop in a folder of this name."""
    return lambda name: Shop(tmp_path / name)


@pytest.fixture(scope="session")
def shop_class() -> type[Shop]:
    """The shop itself, for tests that make many."""
    return Shop
