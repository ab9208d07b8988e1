import datetime
import json
import os
import subprocess
import sys
import textwrap
import time

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestration import copies, versions
from orchestration.copies import CopyDiffers
from orchestration.home import PROJECT, Home, WriterBusy, writer_lock
from orchestration.publish import (
    SCHEMA_VERSION,
    NotPublishable,
    VersionDamaged,
    VersionMissing,
    current,
    publish,
    rollback,
    rule_version,
)
from orchestration.readers import open_published
from orchestration.versions import prunable, sha256_of, version_numbers, versions_folder
from tests.orchestration.publish_builds import CUSTOMERS, change_build, make_build

STEPS = [
    "check the audit",
    "sum up the tables",
    "write facts.duckdb",
    "verify facts.duckdb",
    "write marts.duckdb",
    "verify marts.duckdb",
    "write the manifest",
    "sync",
    "name it version 2",
    "switch readers",
    "prune old versions",
    "done",
]


@pytest.fixture
def place(tmp_path):
    return make_build(Home(tmp_path / "home"))


def python(script, *arguments, **options):
    """Start a Python process that can import the project."""
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script), *map(str, arguments)],
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        text=True,
        **options,
    )


def served(place):
    """What readers have: the link's target and the sha256 of every file behind it."""
    link = place.published / "current"
    if not link.is_symlink():
        return None
    return os.readlink(link), {path.name: sha256_of(path) for path in link.iterdir()}


def drafts(place):
    return [*place.published.glob("*.tmp"), *versions_folder(place).glob("*.tmp")]


# What a version holds


def test_the_first_publish_serves_every_published_table(place):
    result = publish(place)

    assert (result.version, result.as_of_date) == (1, datetime.date(2011, 12, 1))
    assert result.tables == {
        "customers": 50,
        "customer_segments": 50,
        "segment labels": 2,
        "deliveries": 1,
    }
    assert sorted(os.listdir(result.path)) == ["facts.duckdb", "manifest.json", "marts.duckdb"]
    assert os.readlink(place.published / "current") == "versions/1"
    with open_published(place, "marts.duckdb") as marts:
        tables = marts.execute("select schema_name, table_name from duckdb_tables()").fetchall()
    assert sorted(tables) == [
        ("main", "customer_segments"),
        ("main", "deliveries"),
        ("main", "segment labels"),
    ]


def test_the_manifest_names_deliveries_versions_and_checksums(place):
    result = publish(place)
    manifest = current(place)

    assert manifest["deliveries"] == [
        {
            "id": 1,
            "source": "shop",
            "feed": "orders",
            "file_name": "orders_1.csv",
            "sha256": "ab",
            "status": "landed",
        }
    ]
    assert (manifest["last_delivery_id"], manifest["as_of_date"]) == (1, "2011-12-01")
    assert manifest["schema_version"] == SCHEMA_VERSION
    assert manifest["rule_version"] == rule_version()
    assert manifest["tables"]["customers"]["file"] == "facts.duckdb"
    for name, facts in manifest["files"].items():
        path = result.path / name
        size = path.stat().st_size
        assert facts == {"sha256": sha256_of(path), "bytes": size, "whole_bytes": size}


def test_not_null_types_and_comments_are_kept(place):
    publish(place)
    with open_published(place, "facts.duckdb") as facts:
        columns = facts.execute(
            "select column_name, data_type, is_nullable, comment from duckdb_columns() "
            "where not internal order by column_index"
        ).fetchall()
        comment = facts.execute("select comment from duckdb_tables()").fetchone()
    assert columns == [
        ("customer_id", "VARCHAR", False, None),
        ("amount", "DECIMAL(18,2)", True, "Net revenue, in the base currency"),
    ]
    assert comment == ('One row per customer; it\'s "quoted"; a semicolon',)


def test_files_are_read_only_whole_and_readable_by_old_clients(place):
    result = publish(place)
    for path in result.path.iterdir():
        assert path.stat().st_mode & 0o777 == 0o440
        assert path.suffix != ".wal"
    assert result.path.stat().st_mode & 0o777 == 0o750
    # What DuckDB writes today by itself has another number: the header can tell.
    assert copies.storage_number(place.build_file) > copies.STORAGE_NUMBER
    for name in ("facts.duckdb", "marts.duckdb"):
        assert copies.storage_number(result.path / name) == copies.STORAGE_NUMBER
        with open_published(place, name) as file:
            tags = file.execute(
                "select tags['storage_version'] from duckdb_databases() where not internal"
            ).fetchone()
        assert tags == ("v1.0.0+",)


def test_rows_stand_in_the_order_of_the_key(tmp_path):
    place = make_build(Home(tmp_path), customers=CUSTOMERS[::-1])
    publish(place)
    with open_published(place, "facts.duckdb") as facts:
        rows = facts.execute("select customer_id from customers order by rowid").fetchall()
    assert rows == sorted(rows)


def test_a_view_is_published_as_a_table_and_a_leftover_of_dbt_is_not(place):
    change_build(
        place,
        "create view trust.totals as select count(*) as customer_count from core.customers",
        "create table trust.totals__dbt_tmp as select 1 as broken",
    )
    assert publish(place).tables["totals"] == 1
    assert "totals__dbt_tmp" not in current(place)["tables"]


def test_a_table_whose_model_is_gone_is_not_published(place):
    change_build(
        place,
        "alter table control.build_audit add column relations varchar[]",
        "update control.build_audit set relations = ['core.customers', 'trust.deliveries']",
    )
    assert set(publish(place).tables) == {"customers", "deliveries"}


def test_two_tables_of_one_name_are_not_published(place):
    change_build(place, "create table trust.Customers as select 1 as customer_id")
    with pytest.raises(NotPublishable, match="the name customers"):
        publish(place)


# Checksums and unchanged files


def test_an_unchanged_file_is_the_same_file(place):
    first = publish(place)
    make_build(place, stamp=2, customers=CUSTOMERS[::-1])
    second = publish(place)

    assert second.unchanged == ("facts.duckdb",)
    inodes = [(found.path / "facts.duckdb").stat().st_ino for found in (first, second)]
    assert inodes[0] == inodes[1]
    assert first.files["marts.duckdb"] != second.files["marts.duckdb"]
    with open_published(place) as marts:
        assert marts.execute("select max(stamp) from customer_segments").fetchone() == (2,)


@pytest.mark.parametrize(
    "change",
    [
        "update core.customers set amount = amount + 1 where customer_id = 'shop:7'",
        "comment on column core.customers.amount is 'another meaning'",
        "comment on table core.customers is 'another meaning'",
        "alter table core.customers alter customer_id drop not null",
        "alter table core.customers alter amount type decimal(18, 3)",
        "create table core.products (product_id varchar)",
    ],
)
def test_any_change_of_content_or_definition_rewrites_the_file(place, change):
    publish(place)
    change_build(place, change)
    assert publish(place).unchanged == ("marts.duckdb",)


def test_a_rotten_file_is_not_handed_on(place):
    first = publish(place)
    flip_a_byte(first.path / "facts.duckdb")
    assert publish(place).unchanged == ("marts.duckdb",)
    assert versions.verify_version(place.published / "current")["version"] == 2


def test_without_hard_links_the_file_is_written(place, monkeypatch):
    publish(place)

    def refuse(source, target):
        raise OSError("no links here")

    monkeypatch.setattr(os, "link", refuse)
    assert publish(place).unchanged == ()


ROWS = st.lists(
    st.tuples(
        st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=5),
        st.decimals(-1000, 1000, places=2).map(str),
    ),
    min_size=1,
    max_size=8,
)


@settings(max_examples=6, deadline=None)
@given(data=st.data(), rows=ROWS)
def test_checksums_do_not_depend_on_the_order_of_rows(tmp_path_factory, data, rows):
    found = []
    for order in (rows, data.draw(st.permutations(rows))):
        place = make_build(Home(tmp_path_factory.mktemp("home")), customers=order)
        publish(place)
        found.append({name: facts["checksum"] for name, facts in current(place)["tables"].items()})
    assert found[0] == found[1]


def checksum_of(rows, threads=2):
    with duckdb.connect(":memory:", config={"threads": threads}) as connection:
        connection.execute("create table numbers (a bigint, b boolean, c bigint)")
        if isinstance(rows, str):
            connection.execute(f"insert into numbers {rows}")
        else:
            connection.executemany("insert into numbers values (?, ?, ?)", rows)
        (table,) = copies.catalog(connection, "memory", ["main"])
        return copies.content(connection, "memory", "main", table)


VALUES = st.none() | st.integers(-3, 3)
NUMBERS = st.lists(st.tuples(VALUES, st.none() | st.booleans(), VALUES), min_size=1, max_size=6)


@settings(max_examples=20, deadline=None)
@given(first=NUMBERS, second=NUMBERS)
def test_checksums_tell_different_rows_apart(first, second):
    by_text = [sorted(map(repr, rows)) for rows in (first, second)]
    assert (checksum_of(first) == checksum_of(second)) == (by_text[0] == by_text[1])


@settings(max_examples=20, deadline=None)
@given(rows=NUMBERS, column=st.integers(0, 2))
def test_checksums_see_two_rows_swap_a_value(rows, column):
    swapped = [list(row) for row in rows]
    swapped[0][column], swapped[-1][column] = swapped[-1][column], swapped[0][column]
    swapped = [tuple(row) for row in swapped]
    same = sorted(map(repr, rows)) == sorted(map(repr, swapped))
    assert (checksum_of(rows) == checksum_of(swapped)) == same


def test_checksums_do_not_depend_on_threads():
    rows = "select hash(i) % 1000, i % 3 = 0, i from range(400000) as numbers(i)"
    assert checksum_of(rows, threads=1) == checksum_of(rows, threads=4)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda sql: f"{sql} limit 49" if sql.startswith("insert") else sql, "holds"),
        (lambda sql: sql.replace('select "customer_id"', "select 'x'"), "holds"),
        (lambda sql: sql.replace(" not null", ""), "defined differently"),
        (lambda sql: "select 1" if sql.startswith("comment on column") else sql, "differently"),
    ],
)
def test_a_wrong_copy_never_reaches_readers(place, monkeypatch, wrong, message):
    publish(place)
    before = served(place)
    make_build(place, stamp=2, customers=[*CUSTOMERS[:49], ("shop:new", "1")])
    right = copies.copy_statements
    monkeypatch.setattr(copies, "copy_statements", lambda table: [*map(wrong, right(table))])
    with pytest.raises(CopyDiffers, match=message):
        publish(place)
    assert served(place) == before
    # An error, unlike a kill, gives the space back at once: the disk may be full.
    assert drafts(place) == []


def test_a_file_for_new_clients_only_never_reaches_readers(place, monkeypatch):
    monkeypatch.setattr(copies, "STORAGE_VERSION", "v1.5.0")
    with pytest.raises(CopyDiffers, match="storage"):
        publish(place)
    assert served(place) is None


# Only what passed


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        (
            "update control.build_audit set passed = false, "
            "failures = 'test.segments.unique_orders, model.segments.orders'",
            r"failed in 2 of 7 nodes: test\.segments\.unique_orders, model\.segments\.orders",
        ),
        ("update control.build_audit set passed = false, nodes_run = 3", "ran 3 of 7 nodes"),
        ("update control.build_audit set passed = null", "ran 7 of 7 nodes"),
        ("delete from control.build_audit", "no dbt build has finished"),
        ("drop table control.build_audit", "no dbt build has finished"),
        (
            "insert into raw.deliveries (delivery_id, status) values (2, 'refused')",
            "files were ingested after the build: run ./segments run",
        ),
        ("update control.build_audit set last_delivery_id = null", "ingested after the build"),
        (
            "drop schema core cascade; drop schema customers cascade; "
            "drop schema segments cascade; drop schema trust cascade",
            "no table in the schemas",
        ),
    ],
)
def test_what_did_not_pass_is_not_published(place, statement, message):
    publish(place)
    before = served(place)
    change_build(place, "update trust.deliveries set stamp = 2", statement)
    with pytest.raises(NotPublishable, match=message):
        publish(place)
    assert served(place) == before
    assert version_numbers(place) == [1]


def test_without_a_build_there_is_nothing_to_publish(tmp_path):
    with pytest.raises(NotPublishable, match="no build file"):
        publish(Home(tmp_path))


def test_a_warehouse_without_deliveries_or_segments_can_be_published(place):
    change_build(
        place,
        "drop table raw.deliveries",
        "drop table customers.customer_segments",
        "update control.build_audit set last_delivery_id = null",
    )
    assert publish(place).as_of_date is None
    assert current(place)["last_delivery_id"] is None


def test_a_second_writer_is_told_who_holds_the_lock(place):
    with writer_lock(place, "dbt build"), pytest.raises(WriterBusy, match=r"\(dbt build\)"):
        publish(place, wait_seconds=0)
    assert publish(place).version == 1


def test_a_dbt_build_by_hand_is_named_by_its_process(place):
    script = """
        import sys, duckdb
        held = duckdb.connect(sys.argv[1])
        print("held", flush=True)
        sys.stdin.read()
    """
    with python(script, place.build_file, stdin=subprocess.PIPE) as holder:
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(NotPublishable, match=f"written by process {holder.pid}"):
            publish(place)
        holder.stdin.close()
    assert publish(place).version == 1


# Kills


def test_the_steps_of_a_publish(place):
    publish(place)
    make_build(place, stamp=2, customers=CUSTOMERS[1:])
    steps = []
    publish(place, progress=steps.append)
    assert steps == STEPS


@pytest.mark.parametrize("step", STEPS)
def test_a_publish_killed_at_any_step_leaves_readers_a_whole_version(place, step):
    publish(place)
    make_build(place, stamp=2, customers=CUSTOMERS[1:])
    script = """
        import os, signal, sys
        from orchestration.home import home
        from orchestration.publish import publish

        def kill(step):
            if step == sys.argv[2]:
                os.kill(os.getpid(), signal.SIGKILL)

        publish(home(sys.argv[1]), progress=kill)
    """
    with python(script, place.root, step) as publisher:
        assert publisher.wait() == -9

    switched = STEPS.index(step) > STEPS.index("switch readers")
    assert versions.verify_version(place.published / "current")["version"] == 1 + switched
    with open_published(place) as marts:
        stamps = marts.execute(
            "select max(stamp) from customer_segments union all select stamp from deliveries"
        ).fetchall()
    assert stamps == [(1 + switched,)] * 2

    named = STEPS.index(step) > STEPS.index("name it version 2")
    assert publish(place).version == 2 + named
    assert drafts(place) == []
    assert versions.verify_version(place.published / "current")["version"] == 2 + named


def test_a_draft_of_any_step_is_cleared_even_where_nothing_is_publishable(place):
    publish(place)
    (versions_folder(place) / "9.tmp").mkdir()
    (place.published / "current.tmp").symlink_to("nowhere")
    change_build(place, "delete from control.build_audit")
    with pytest.raises(NotPublishable):
        publish(place)
    assert drafts(place) == []


# Numbers, going back, pruning


def test_rollback_switches_to_the_version_before_and_publish_goes_on_counting(place):
    for stamp in (1, 2, 3):
        make_build(place, stamp=stamp)
        publish(place)
    back = rollback(place)
    assert (back.version, current(place)["version"]) == (2, 2)
    assert back.as_of_date == datetime.date(2011, 12, 2)
    with open_published(place) as marts:
        assert marts.execute("select stamp from deliveries").fetchone() == (2,)
    assert rollback(place, to=3).version == 3
    assert rollback(place, to=1).version == 1
    assert publish(place).version == 4


def test_numbers_go_on_where_the_newest_folder_was_removed(place):
    publish(place)
    publish(place)
    os.rename(versions_folder(place) / "2", place.root / "elsewhere")
    with pytest.raises(VersionDamaged):
        current(place)
    assert publish(place).version == 3


def test_there_must_be_a_version_to_go_back_to(place):
    with pytest.raises(VersionMissing, match="nothing is published yet"):
        rollback(place)
    publish(place)
    with pytest.raises(VersionMissing, match="no version before 1"):
        rollback(place)
    with pytest.raises(VersionMissing, match="no version 7; the versions kept: 1"):
        rollback(place, to=7)


def flip_a_byte(path):
    path.chmod(0o640)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("damage", ["flip", "remove", "manifest"])
def test_a_damaged_version_is_not_gone_back_to(place, damage):
    first = publish(place)
    make_build(place, stamp=2)
    publish(place)
    before = served(place)
    if damage == "flip":
        flip_a_byte(first.path / "marts.duckdb")
    elif damage == "remove":
        (first.path / "marts.duckdb").unlink()
    else:
        flip_a_byte(first.path / "manifest.json")
        (first.path / "manifest.json").write_text("{")
    with pytest.raises(VersionDamaged, match="manifest" if damage == "manifest" else "marts"):
        rollback(place)
    assert served(place) == before


def test_pruning_goes_by_number_and_spares_the_current_and_the_one_before(place):
    for _ in range(6):
        publish(place, keep=3)
    assert version_numbers(place) == [4, 5, 6]
    # An older date must not matter: a clock may have been set back.
    os.utime(versions_folder(place) / "6", (0, 0))
    rollback(place, to=4)
    publish(place, keep=1)
    assert version_numbers(place) == [4, 6, 7]
    assert current(place)["version"] == 7
    with pytest.raises(ValueError, match="keep"):
        publish(place, keep=0)


@given(
    present=st.sets(st.integers(1, 30), min_size=1).map(sorted),
    keep=st.integers(1, 10),
    data=st.data(),
)
def test_pruning_keeps_what_can_still_be_needed(present, keep, data):
    now = data.draw(st.sampled_from(present))
    gone = prunable(present, now, None, keep)
    left = [number for number in present if number not in gone]
    assert now in left
    assert set(present[-keep:]) <= set(left)
    assert [number for number in present if number < now][-1:] == [
        number for number in left if number < now
    ][-1:]
    assert len(left) <= keep + 2


# Readers


def test_readers_are_closed_in(place, tmp_path):
    publish(place)
    secret = tmp_path / "secret.csv"
    secret.write_text("a\n1\n")
    with open_published(place) as marts:
        for statement in (
            f"select * from read_csv('{secret}')",
            f"copy deliveries to '{tmp_path / 'out.csv'}'",
            f"attach '{place.build_file}'",
            "set enable_external_access = true",
            "set lock_configuration = false",
            "delete from deliveries",
        ):
            with pytest.raises(duckdb.Error):
                marts.execute(statement)


def test_a_new_connection_has_the_new_version_while_an_old_one_is_open(place):
    publish(place)
    with open_published(place) as old:
        make_build(place, stamp=2)
        publish(place)
        with open_published(place) as new:
            assert new.execute("select stamp from deliveries").fetchone() == (2,)
        assert old.execute("select stamp from deliveries").fetchone() == (1,)


def test_readers_are_told_what_is_missing(place):
    with pytest.raises(VersionMissing, match=r"no marts\.duckdb is published"):
        open_published(place)
    publish(place)
    for name in ("history.duckdb", "../../warehouse/build.duckdb"):
        with pytest.raises(VersionMissing):
            open_published(place, name)


READER = """
    import json, pathlib, sys, time, duckdb
    link, stop = sys.argv[1:]
    reads, newest, faults = 0, 0, []
    while not pathlib.Path(stop).exists():
        try:
            with duckdb.connect(link, read_only=True) as marts:
                low, high = marts.execute(
                    "select min(stamp), max(stamp) from ("
                    "select stamp from customer_segments union all select stamp from deliveries)"
                ).fetchone()
        except Exception as error:
            faults.append(repr(error))
            continue
        if low != high:
            faults.append(f"torn: {low} and {high}")
        if low < newest:
            faults.append(f"backwards: {newest} to {low}")
        newest, reads = high, reads + 1
        time.sleep(0.005)
        if reads == 1:
            print("reading", flush=True)
    print(json.dumps({"reads": reads, "newest": newest, "faults": faults[:5]}))
"""


def test_readers_never_meet_an_error_a_torn_or_an_older_version(place):
    publish(place)
    stop = place.root / "stop"
    link = place.published / "current" / "marts.duckdb"
    readers = [python(READER, link, stop) for _ in range(4)]
    try:
        for reader in readers:
            assert reader.stdout.readline() == "reading\n"
        for stamp in range(2, 17):
            make_build(place, stamp=stamp)
            publish(place, keep=2)
        time.sleep(0.3)
    finally:
        stop.touch()
        found = [json.loads(reader.communicate(timeout=30)[0]) for reader in readers]
    print(f"{sum(reader['reads'] for reader in found)} reads during 15 publishes")
    for reader in found:
        assert reader["faults"] == []
        assert reader["newest"] == 16
        assert reader["reads"] > 15


def test_there_is_no_moment_without_a_current_version(place):
    publish(place)
    publish(place)
    # Opening a file is too slow to meet a gap of microseconds; reading the link is not.
    script = """
        import os, sys
        print("reading", flush=True)
        seen = set()
        try:
            while "versions/0" not in seen:
                seen.add(os.readlink(sys.argv[1]))
        except FileNotFoundError:
            seen.add("none")
        print(sorted(seen))
    """
    with python(script, place.published / "current") as reader:
        assert reader.stdout.readline() == "reading\n"
        for number in range(1000):
            versions.switch(place, 1 + number % 2)
        # The end, told through the link itself: the reader must not pause to look elsewhere.
        versions.switch(place, 0)
        assert reader.stdout.readline() == "['versions/0', 'versions/1', 'versions/2']\n"


# Rules


def test_the_rule_version_changes_with_any_rule(tmp_path):
    seeds = tmp_path / "seeds"
    seeds.mkdir()
    seen = {rule_version(seeds)}
    for name, rows in [("a", "x\n1\n"), ("a", "x\n2\n"), ("b", "y\n"), ("a", "x\n2\ny\n")]:
        (seeds / f"{name}.csv").write_text(rows)
        seen.add(rule_version(seeds))
    (seeds / "b.csv").rename(seeds / "c.csv")
    seen.add(rule_version(seeds))
    (seeds / "_seeds.yml").write_text("not a rule")
    seen.add(rule_version(seeds))
    assert len(seen) == 6
    assert all(len(version) == 12 for version in seen)
