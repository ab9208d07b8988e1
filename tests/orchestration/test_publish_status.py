import io
import os
import subprocess
import sys

import pytest
from rich.console import Console

from orchestration.audit import Delivery
from orchestration.home import Home
from orchestration.publish import SCHEMA_VERSION, publish, rollback
from orchestration.status import count_feeds, folder_bytes, not_published, render_status, status
from tests.orchestration.publish_builds import change_build, make_build


@pytest.fixture
def place(tmp_path):
    return make_build(Home(tmp_path / "home"))


def rendered(place):
    console = Console(record=True, width=200, file=io.StringIO())
    render_status(status(place), console)
    return console.export_text()


def delivery(number, state="landed", feed="orders", rows=10, quarantined=1):
    return Delivery(number, "shop", feed, f"{number}.csv", "ab", state, rows, quarantined)


def test_an_empty_home_is_told_politely_and_left_untouched(tmp_path):
    place = Home(tmp_path / "home")
    found = status(place)
    assert (found.published, found.feeds, found.build, found.versions) == (None, None, None, [])
    assert set(found.disk.values()) == {0}
    text = rendered(place)
    assert "Nothing has been built yet: run ./segments run" in text
    assert "Published: nothing yet" in text
    assert not place.root.exists()


def test_the_published_version_and_its_rows_are_shown(place):
    publish(place)
    found = status(place)
    assert found.published["version"] == 1
    assert found.not_publishable is None
    assert found.pending == []
    assert found.disk["published"] > 0
    text = rendered(place)
    for part in (
        "version 1 at",
        "as of 2011-12-01",
        f"schema {SCHEMA_VERSION}",
        "Versions kept: 1",
        "Last build (2011-12-01 02:00 UTC): passed",
        "Every delivery is in the published version.",
        "customer_segments",
    ):
        assert part in text


def test_a_delivery_after_the_publish_is_shown_as_not_published(place):
    publish(place)
    change_build(
        place,
        "insert into raw.deliveries select 2, source, feed, '[new].csv', 'cd', status, 5, 5, 0, "
        "loaded_at from raw.deliveries",
    )
    text = rendered(place)
    assert "Deliveries not in the published version: shop/orders/[new].csv" in text
    assert "files were ingested after the build: run ./segments run" in text


def test_after_a_rollback_the_newer_delivery_is_not_published(place):
    publish(place)
    make_build(place, stamp=2, deliveries=2)
    publish(place)
    rollback(place)
    found = status(place)
    assert found.published["version"] == 1
    assert [pending.delivery_id for pending in found.pending] == [2]
    assert found.versions == [1, 2]


def test_a_failed_build_is_named(place):
    change_build(
        place, "update control.build_audit set passed = false, failures = 'test.segments.a'"
    )
    assert "failed in 1 of 7 nodes: test.segments.a" in rendered(place)


def test_deliveries_are_counted_by_state_and_feed():
    found = count_feeds(
        [
            delivery(1),
            delivery(2, "duplicate", rows=0, quarantined=0),
            delivery(3, "refused", rows=0, quarantined=0),
            delivery(4, feed="customers", rows=3, quarantined=0),
            delivery(5, rows=7, quarantined=2),
        ]
    )
    assert [(feed.feed, feed.rows_landed, feed.rows_quarantined) for feed in found] == [
        ("customers", 3, 0),
        ("orders", 17, 3),
    ]
    assert found[1].states == {"landed": 2, "duplicate": 1, "refused": 1}


def test_a_withdrawn_delivery_is_pending_until_it_is_out_of_the_published_version():
    manifest = {"deliveries": [{"id": 1, "status": "landed"}, {"id": 2, "status": "refused"}]}
    ledger = [delivery(1, "withdrawn"), delivery(2, "refused"), delivery(3), delivery(4, "refused")]
    assert [found.delivery_id for found in not_published(ledger, manifest)] == [1, 3]
    assert [found.delivery_id for found in not_published(ledger, None)] == [3]


def test_a_writer_in_the_build_file_leaves_the_published_part(place):
    publish(place)
    script = "import sys, duckdb; held = duckdb.connect(sys.argv[1]); print(); sys.stdin.read()"
    command = [sys.executable, "-c", script, str(place.build_file)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        holder.stdout.readline()
        found = status(place)
        text = rendered(place)
        holder.stdin.close()
    assert found.published["version"] == 1
    assert found.feeds is None
    assert f"is being written by process {holder.pid}; shown is only what is published" in text


def test_a_broken_build_file_or_version_is_told(place):
    publish(place)
    place.build_file.write_bytes(b"not a database" * 1000)
    (place.published / "versions" / "1" / "manifest.json").unlink()
    found = status(place)
    assert any("./segments rollback" in note for note in found.notes)
    assert any("build file cannot be read" in note for note in found.notes)
    rendered(place)


def test_a_linked_file_counts_once(tmp_path):
    (tmp_path / "a").write_bytes(b"x" * 8192)
    once = folder_bytes(tmp_path)
    os.link(tmp_path / "a", tmp_path / "b")
    assert folder_bytes(tmp_path) == once >= 8192
