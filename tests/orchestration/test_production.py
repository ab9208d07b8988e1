"""What the production guide says: backup, restore, another place, another DuckDB."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

from orchestration import copies
from orchestration.audit import literal
from orchestration.copies import quoted
from orchestration.home import PROJECT, Home, home
from orchestration.readers import open_published
from orchestration.status import status
from orchestration.versions import verify_version, versions_folder
from tests.shops import deliver, line, order, quick_run, segments

# What the guide has copied. The rest is made anew: exports, logs, what dbt compiled.
BACKED_UP = ("landing", "warehouse/build.duckdb", "published")


@dataclass(frozen=True)
class Homes:
    """A home restored elsewhere from its backup, and the home itself, moved to another place."""

    restored: Home
    moved: Home


def deliver_orders(landing: Path, name: str, day: str) -> None:
    orders = [order(f"{name}{number}", f"c{number}", day) for number in range(40)]
    deliver(landing, "orders", orders, name)
    deliver(landing, "order_lines", [line(row["order_id"], "10.00") for row in orders], name)


def back_up(place: Home, target: Path) -> None:
    """Copy as the guide says: links as links, one file for what is hard-linked, modes kept."""
    command = ["rsync", "-aH"] if shutil.which("rsync") else ["cp", "-a", "--parents"]
    target.mkdir(mode=0o700)
    if command[0] == "rsync":
        command.append("--relative")
    subprocess.run([*command, *BACKED_UP, f"{target}/"], cwd=place.root, check=True)


def write_anew(place: Home) -> None:
    """Bring the build file's storage up to date as the guide does."""
    new = place.warehouse / "new.duckdb"
    with duckdb.connect() as connection:
        connection.execute(f"attach {literal(place.build_file)} as old (read_only)")
        connection.execute(f"attach {literal(new)} as new (storage_version 'latest')")
        connection.execute("copy from database old to new")
    new.chmod(0o600)
    new.replace(place.build_file)


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Homes:
    folder = tmp_path_factory.mktemp("production")
    place = home(folder / "first")
    deliver_orders(place.landing, "a", "2026-03-05")
    quick_run(place.root)
    back_up(place, folder / "backup")
    shutil.copytree(folder / "backup", folder / "restored", symlinks=True)
    write_anew(home(folder / "restored"))
    place.root.rename(folder / "moved")
    return Homes(home(folder / "restored"), home(folder / "moved"))


def test_a_backup_needs_no_wal_and_none_is_there(homes):
    assert not list(homes.moved.warehouse.glob("*.wal"))
    assert not list(homes.moved.published.rglob("*.wal"))


def test_what_is_restored_is_served_whole(homes):
    state = status(homes.restored)
    assert state.notes == []
    assert (state.versions, state.pending, state.not_publishable) == ([1], [], None)
    verify_version(versions_folder(homes.restored) / "1")
    done = segments(homes.restored.root, "status")
    assert done.returncode == 0
    assert "Every delivery is in the published version." in done.stdout
    assert os.readlink(homes.restored.published / "current") == "versions/1"


def test_without_its_wal_a_build_file_loses_what_was_not_checkpointed(tmp_path):
    """Why nothing is copied while a run is under way."""
    path = tmp_path / "build.duckdb"
    script = f"""
        import duckdb, os
        build = duckdb.connect({str(path)!r})
        build.execute("create table t as select 1 as a")
        build.execute("checkpoint")
        build.execute("insert into t values (2)")
        os._exit(0)
    """
    subprocess.run(
        [sys.executable, "-c", "\n".join(map(str.strip, script.split("\n")))], check=True
    )
    alone = tmp_path / "alone" / "build.duckdb"
    alone.parent.mkdir()
    shutil.copy2(path, alone)
    counts = []
    for copy in (path, alone):
        with duckdb.connect(str(copy)) as build:
            counts += build.execute("select count(*) from t").fetchone()
    assert counts == [2, 1]


def test_a_build_file_written_anew_holds_the_same(homes):
    """As the guide upgrades the storage; the run after it is that of the test below."""
    with duckdb.connect() as connection:
        connection.execute(f"attach {literal(homes.moved.build_file)} as old (read_only)")
        connection.execute(f"attach {literal(homes.restored.build_file)} as new (read_only)")
        tables = connection.execute(
            "select schema_name, table_name from duckdb_tables() where database_name = 'old'"
        ).fetchall()
        for schema, table in tables:
            name = f"{quoted(schema)}.{quoted(table)}"
            (differing,) = connection.execute(
                f"select count(*) from ((from old.{name} except all from new.{name}) union all "
                f"(from new.{name} except all from old.{name}))"
            ).fetchone()
            assert differing == 0, name
    assert len(tables) > 100
    numbers = [copies.storage_number(place.build_file) for place in (homes.moved, homes.restored)]
    assert numbers[1] >= numbers[0]


def test_the_next_run_of_a_restored_and_of_a_moved_home_are_equal(homes):
    """Both know their deliveries: the old file is not taken again, the new one counts."""
    found = []
    for place in (homes.restored, homes.moved):
        deliver_orders(place.landing, "b", "2026-04-05")
        quick_run(place.root)
        manifest = json.loads((place.published / "current" / "manifest.json").read_text())
        assert manifest["version"] == 2
        assert [each["status"] for each in manifest["deliveries"]] == ["landed"] * 4
        with duckdb.connect(str(place.build_file), read_only=True) as build:
            (full,) = build.execute("select is_full_rebuild from control.increment").fetchone()
            assert not full
        found.append(
            {
                name: (facts["rows"], facts["checksum"])
                for name, facts in manifest["tables"].items()
                # It has the moment at which each file came.
                if name != "deliveries"
            }
        )
    assert found[0] == found[1]


def test_published_files_keep_the_old_storage_whatever_duckdb_writes_them(homes):
    """So readers need not be upgraded with the writer."""
    for place in (homes.restored, homes.moved):
        for path in (place.published / "current").glob("*.duckdb"):
            assert copies.storage_number(path) == copies.STORAGE_NUMBER
        with open_published(place) as published:
            assert published.execute("select count(*) from customer_segments").fetchone() == (40,)


def test_a_home_in_the_way_of_nobody_can_be_given_by_a_link(homes, tmp_path):
    (tmp_path / "data").symlink_to(homes.moved.root)
    done = segments(tmp_path / "data", "status")
    assert done.returncode == 0
    assert str(homes.moved.root) in done.stdout.replace("\n", "")


def test_the_guide_names_every_folder_and_every_error_that_a_person_meets():
    guide = (PROJECT / "docs" / "production.md").read_text(encoding="utf-8")
    for name in BACKED_UP:
        assert f"`{name}" in guide
    for said in (
        "is held by process",
        "The disk is full",
        "The memory did not suffice",
        "may not read or write",
        "The build did not pass",
        "refused:",
        "went to the quarantine",
        "cannot hold the warehouse",
        "is damaged",
        "nothing has been landed yet",
        "The clock says",
        "know nothing yet of facts that came late",
    ):
        assert said in guide, said
