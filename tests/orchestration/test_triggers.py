"""The hourly file of touched customers: right, whole, and of no consequence for what follows."""

import datetime as dt
import io
import shutil
import stat
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest
from rich.console import Console

from orchestration import dbt, triggers
from orchestration.audit import Audit
from orchestration.control import Request
from orchestration.home import Home, home
from orchestration.ingest import ingest
from orchestration.publish import NotPublishable, publish
from orchestration.review import review
from orchestration.status import render_status, status
from orchestration.triggers import (
    TriggersNotPublishable,
    needed,
    publish_triggers,
    read_about,
    run_triggers,
    why_not_passed,
)
from orchestration.versions import current, current_number, version_numbers
from tests.orchestration.crashes import deliver_first, deliver_second, differences
from tests.shops import deliver, line, order, quick_run

# Without a build.

NODES = {
    "model.s.customer_segments": ("model", "customer_segments", ["model.s.middle"]),
    "model.s.middle": ("model", "middle", ["seed.s.bands", "source.s.shop.orders"]),
    "model.s.other": ("model", "other", ["model.s.middle"]),
    "seed.s.bands": ("seed", "bands", []),
    "test.s.within": ("test", "within", ["model.s.middle", "source.s.shop.orders"]),
    "test.s.across": ("test", "across", ["model.s.middle", "model.s.other"]),
    "test.s.of_nothing": ("test", "of_nothing", []),
}
GRAPH = {
    key: {
        "resource_type": kind,
        "name": name,
        "depends_on": {"nodes": parents},
        "config": {"materialized": "table"},
    }
    for key, (kind, name, parents) in NODES.items()
}
NEEDED = {"model.s.customer_segments", "model.s.middle", "seed.s.bands", "test.s.within"}
AUDIT = Audit("me", dt.datetime(2026, 1, 1), False, 9, 4, 7, ())


def results(invocation: str = "me", **changed: str) -> dict:
    return {
        "metadata": {"invocation_id": invocation},
        "results": [
            {"unique_id": key, "status": changed.get(key.split(".")[-1], "success")}
            for key in sorted(NEEDED)
        ],
    }


def test_needed_is_the_model_what_is_above_it_and_tests_that_rest_on_nothing_else():
    assert needed(GRAPH, {"source.s.shop.orders": {}}) == NEEDED


def test_a_build_of_all_that_is_needed_passes():
    assert why_not_passed(AUDIT, results(), NEEDED, 7) is None
    assert why_not_passed(AUDIT, results(within="warn"), NEEDED, 7) is None


@pytest.mark.parametrize(
    ("audit", "found", "newest", "told"),
    [
        (None, results(), 7, "no dbt build has finished"),
        (Audit("me", AUDIT.finished_at, False, 9, 3, 7, ("a",)), results(), 7, "failed in a"),
        (AUDIT, results("another"), 7, "not those of the last build"),
        (AUDIT, {}, 7, "not those of the last build"),
        (AUDIT, results(middle="skipped"), 7, "model.s.middle is missing"),
        (AUDIT, results(within="fail"), 7, "test.s.within is missing"),
        (AUDIT, results(), 8, "ingested after"),
    ],
)
def test_any_other_build_does_not(audit, found, newest, told):
    assert told in why_not_passed(audit, found, NEEDED, newest)


def test_before_anything_is_published_the_refresh_comes_first(tmp_path: Path):
    place = home(tmp_path).prepare()
    ingest(place)
    assert "the refresh comes first" in run_triggers(place).reason
    assert read_about(place) is None


# With builds.


@dataclass(frozen=True)
class Hours:
    """A home after its first version and one hour's triggers."""

    place: Home
    first: triggers.Triggers
    second: triggers.Triggers


@pytest.fixture(scope="module")
def hours(tmp_path_factory: pytest.TempPathFactory) -> Hours:
    root = tmp_path_factory.mktemp("hours")
    place = home(root)
    deliver_first(place.landing)
    quick_run(root)
    ingest(place)
    nothing = run_triggers(place)
    deliver_second(place.landing, files=1, rows=40)
    ingest(place)
    return Hours(place, nothing, run_triggers(place))


@pytest.mark.slow
def test_without_a_delivery_there_is_nothing_to_do(hours: Hours):
    assert hours.first.reason == "nothing was delivered since the published version"


@pytest.mark.slow
def test_the_file_holds_the_touched_customers_as_of_now(hours: Hours):
    path = hours.place.published / triggers.FILE
    assert stat.S_IMODE(path.stat().st_mode) == 0o440
    with duckdb.connect(str(path), read_only=True) as connection:
        held = connection.execute(
            "select customer_id, net_revenue_12m, as_of_date, changed_codes from touched_customers "
            "order by customer_id"
        ).fetchall()
    # All of c0 to c16: each has a new order; c13 to c16 have their first.
    assert {customer for customer, *_ in held} == {f"shop:c{number}" for number in range(17)}
    assert {day for _, _, day, _ in held} == {dt.date(2026, 11, 3)}
    changed = {customer: codes for customer, _, _, codes in held}
    assert all("lifecycle_stage" in changed[f"shop:c{number}"] for number in range(13, 17))
    assert hours.second.customers == 17
    assert hours.second.changed == sum(bool(codes) for codes in changed.values())


@pytest.mark.slow
def test_no_version_is_made_and_no_delivery_counts_as_published(hours: Hours):
    assert version_numbers(hours.place) == [1]
    assert len(current(hours.place)["deliveries"]) == 5
    assert read_about(hours.place)["base_version"] == 1
    with pytest.raises(NotPublishable, match="partial"):
        publish(hours.place)
    assert run_triggers(hours.place).reason == "nothing was delivered since the last triggers"
    state = status(hours.place)
    assert len(state.pending) == 4
    assert state.triggers["customers"] == 17


@pytest.mark.slow
def test_a_report_is_written_from_what_is_published_and_names_nobody(hours: Hours):
    written = review(hours.place)
    text = written.path.read_text()
    assert written.path == hours.place.exports / "reviews" / f"{written.as_of_date}.md"
    assert text.startswith(f"# Review as of {written.as_of_date}\n\nVersion {written.version}")
    for title in ("Forecasts of CLV", "Clusters", "Segments set by hand", "Month-ends restated"):
        assert f"\n## {title}" in text
    assert "shop:c" not in text


@pytest.mark.slow
def test_the_next_refresh_equals_a_rebuild(hours: Hours, tmp_path: Path):
    # A fact that came after the triggers, so that the refresh has something of its own.
    deliver(hours.place.landing, "orders", [order("late", "c3", "2026-09-15")], "late")
    deliver(hours.place.landing, "order_lines", [line("late", "70.00")], "late")
    # Late facts have marked month-ends, which a rebuild computes anew.
    quick_run(hours.place.root, Request(restate_from=dt.date(2026, 1, 1)))
    assert current_number(hours.place) == 2
    assert status(hours.place).pending == []
    with duckdb.connect(str(hours.place.build_file), read_only=True) as build:
        assert build.execute("select is_full_rebuild from control.increment").fetchone() == (False,)

    shutil.copytree(hours.place.landing, tmp_path / "landing")
    quick_run(tmp_path)
    # What tells of deliveries and of restating itself depends on how often there was a run.
    of_runs = {"deliveries", "rejected_rows", "restatements"}
    assert set(differences(hours.place.root, tmp_path)) <= of_runs


@pytest.mark.slow
def test_triggers_of_an_older_version_are_refused_and_told(hours: Hours):
    assert current_number(hours.place) == 2
    with pytest.raises(TriggersNotPublishable):
        publish_triggers(hours.place)
    assert read_about(hours.place)["base_version"] == 1
    console = Console(width=200, record=True, file=io.StringIO())
    render_status(status(hours.place), console)
    assert "out of date, version 2 is published" in console.export_text()


@pytest.mark.slow
def test_a_test_that_fails_leaves_the_file_that_there_is(
    hours: Hours, monkeypatch: pytest.MonkeyPatch
):
    before = read_about(hours.place)
    deliver(hours.place.landing, "orders", [order("x1", "c3", "2026-11-03")], "x")
    deliver(hours.place.landing, "order_lines", [line("x1", "7.00")], "x")
    ingest(hours.place)

    def broken(place: Home, *arguments: str) -> str:
        if arguments and arguments[0] == "build":
            raise dbt.DbtFailed("a test failed")
        return ""

    monkeypatch.setattr(dbt, "call", broken)
    with pytest.raises(dbt.DbtFailed):
        run_triggers(hours.place)
    assert read_about(hours.place) == before
