"""A published file that is patched holds what a file written whole would hold."""

import json
import random

import duckdb
import pytest

from orchestration import copies, dbt
from orchestration.copies import CopyDiffers
from orchestration.home import Home, home
from orchestration.publish import publish
from orchestration.versions import rollback
from tests.orchestration.publish_builds import change_build, make_build

CONTROL = """
create table control.increment (
    base_version bigint, is_full_rebuild boolean, code_version varchar, rule_version varchar
);
create table control.touched_tables (
    table_name varchar, touched_schema varchar, touched_name varchar, touched_key varchar
);
insert into control.touched_tables values
    ('sales', 'intermediate', 'int_sales__touched', 'coalesce(order_id, refund_id)');
create table intermediate.int_sales__touched (touched_id varchar);
create table core.sales (order_id varchar, refund_id varchar, amount decimal(18, 2) not null);
"""


@pytest.fixture
def place(tmp_path) -> Home:
    """Return a home whose first version is published, with a table that increments patch."""
    made = make_build(home(tmp_path / "home"))
    change_build(
        made,
        CONTROL,
        "insert into core.sales select 'o' || range, null, range from range(1000)",
        "insert into core.sales select null, 'r' || range, -range from range(100)",
    )
    start(made, base_version=None, touched=[], full=True)
    publish(made)
    return made


def start(place: Home, base_version: int | None, touched: list[str], full: bool = False) -> None:
    """Say what the increment goes on from and what it touched."""
    with duckdb.connect(str(place.build_file)) as build:
        build.execute("delete from control.increment")
        build.execute(
            "insert into control.increment values (?, ?, ?, ?)",
            [base_version, full, dbt.code_version(), dbt.rule_version()],
        )
        build.execute("delete from intermediate.int_sales__touched")
        for one in touched:
            build.execute("insert into intermediate.int_sales__touched values (?)", [one])


def published(place: Home) -> dict:
    """Return the current manifest after comparing its checksums with a full scan of its files."""
    folder = (place.published / "current").resolve()
    manifest = json.loads((folder / "manifest.json").read_text())
    for file in manifest["files"]:
        with duckdb.connect(":memory:") as connection:
            connection.execute(f"attach '{folder / file}' as copy (read_only)")
            for table in copies.catalog(connection, "copy", ["main"]):
                held = manifest["tables"][table.name]
                found = copies.content(connection, "copy", "main", table)
                assert (found.rows, found.checksum) == (held["rows"], held["checksum"]), table.name
    return manifest


def sales(place: Home) -> list[tuple]:
    with duckdb.connect(str(place.published / "current" / "facts.duckdb"), read_only=True) as c:
        return sorted(c.execute("select * from sales").fetchall(), key=str)


def built(place: Home) -> list[tuple]:
    with duckdb.connect(str(place.build_file), read_only=True) as c:
        return sorted(c.execute("select * from core.sales").fetchall(), key=str)


@pytest.mark.parametrize("seed", range(2))
def test_patched_versions_hold_what_the_build_holds(place, seed):
    rng = random.Random(seed)
    for version in range(1, 4):
        touched = [f"o{rng.randrange(1100)}" for _ in range(5)] + [f"r{rng.randrange(110)}"]
        start(place, base_version=version, touched=touched)
        for one in sorted(set(touched)):
            # Gone, changed, doubled or new.
            rows = rng.choice([0, 1, 2])
            order, refund = (one, None) if one.startswith("o") else (None, one)
            change_build(
                place, f"delete from core.sales where coalesce(order_id, refund_id) = '{one}'"
            )
            with duckdb.connect(str(place.build_file)) as build:
                for _ in range(rows):
                    build.execute(
                        "insert into core.sales values (?, ?, ?)",
                        [order, refund, rng.randrange(99)],
                    )
        assert publish(place).version == version + 1
        published(place)
        assert sales(place) == built(place)


def test_only_touched_rows_are_exchanged(place, monkeypatch):
    monkeypatch.setattr(copies, "write_file", whole := WriteFile())
    start(place, base_version=1, touched=["o1"])
    change_build(place, "update core.sales set amount = 5 where order_id = 'o1'")
    publish(place)
    assert whole.files == []
    assert published(place)["tables"]["sales"]["rows"] == 1100


class WriteFile:
    """Stands for copies.write_file and keeps which files were written whole."""

    def __init__(self) -> None:
        self.files: list[str] = []
        self._write = copies.write_file

    def __call__(self, connection, path, tables) -> None:
        self.files.append(path.name)
        self._write(connection, path, tables)


@pytest.mark.parametrize(
    "reason",
    ["full rebuild", "rolled back", "rotten", "rows differ", "another column", "grown"],
)
def test_where_patching_is_not_safe_the_file_is_written_whole(place, monkeypatch, reason):
    start(place, base_version=1, touched=["o1"], full=reason == "full rebuild")
    change_build(place, "update core.sales set amount = 5 where order_id = 'o1'")
    if reason == "rolled back":
        publish(place)
        rollback(place, to=1)
        start(place, base_version=2, touched=["o1"])
        change_build(place, "update core.sales set amount = 6 where order_id = 'o1'")
    elif reason == "rotten":
        path = place.published / "current" / "facts.duckdb"
        path.chmod(0o600)
        with path.open("r+b") as file:
            file.seek(20_000)
            file.write(b"rot")
    elif reason == "rows differ":
        # The build lost a row of which the increment says nothing.
        change_build(place, "delete from core.sales where order_id = 'o2'")
    elif reason == "another column":
        change_build(place, "alter table core.sales add column channel varchar")
    elif reason == "grown":
        path = (place.published / "current").resolve() / "manifest.json"
        manifest = json.loads(path.read_text())
        manifest["files"]["facts.duckdb"]["whole_bytes"] //= 2
        path.chmod(0o600)
        path.write_text(json.dumps(manifest))
    monkeypatch.setattr(copies, "write_file", whole := WriteFile())
    publish(place)
    assert "facts.duckdb" in whole.files
    published(place)
    if reason != "another column":
        assert sales(place) == built(place)


def test_a_wrong_patch_never_reaches_readers(place, monkeypatch):
    start(place, base_version=1, touched=["o1"])
    change_build(place, "update core.sales set amount = 5 where order_id = 'o1'")
    write = copies.content

    def content(connection, database, schema, table, condition="true"):
        found = write(connection, database, schema, table, condition)
        # As if the copy held something else than was put in.
        is_exchanged = database == "copy" and table.name == "sales"
        return copies.Content(found.rows, "7") if is_exchanged else found

    monkeypatch.setattr(copies, "content", content)
    with pytest.raises(CopyDiffers, match="sales"):
        publish(place)
    assert (place.published / "current").resolve().name == "1"
