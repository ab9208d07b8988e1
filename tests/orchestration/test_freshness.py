"""Sources that are late, and what may not depend on looking."""

import datetime as dt
from pathlib import Path

import duckdb
import pytest

from orchestration import contracts, dbt
from orchestration.assets import freshness_results, freshness_specs
from orchestration.audit import open_build, read_audit
from orchestration.freshness import Freshness, freshness
from orchestration.home import Home, home
from orchestration.ingest import ingest
from orchestration.status import status
from tests.shops import deliver, line, order

NOON = dt.datetime(2026, 3, 5, 12, 0, tzinfo=dt.UTC)
LATE_AFTER = dt.timedelta(hours=36)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """Return a home to which the shop delivered at noon, and Online Retail II never."""
    made = home(tmp_path_factory.mktemp("home"))
    deliver(made.landing, "orders", [order("o1", "c1", "2026-03-04")])
    deliver(made.landing, "order_lines", [line("o1", "10.00")])
    ingest(made.prepare(), clock=lambda: NOON)
    return made


def found(place: Home, now: dt.datetime) -> dict[str, Freshness]:
    with open_build(place) as build:
        return {one.source: one for one in freshness(build, contracts.load(), now)}


@pytest.mark.parametrize(
    ("after", "is_late"),
    [
        (LATE_AFTER - dt.timedelta(seconds=1), False),
        (LATE_AFTER, False),
        (LATE_AFTER + dt.timedelta(seconds=1), True),
    ],
)
def test_a_source_is_late_after_what_its_contract_says(
    place: Home, after: dt.timedelta, is_late: bool
):
    shop = found(place, NOON + after)["shop"]
    assert (shop.late_after, shop.is_late) == (LATE_AFTER, is_late)
    assert ("late" in str(shop)) == is_late


def test_a_source_that_never_delivered_or_has_no_limit_is_not_late(place: Home):
    retail = found(place, NOON + dt.timedelta(days=900))["online_retail"]
    assert (retail.newest, retail.late_after, retail.is_late) == (None, None, False)


def test_a_refused_file_is_no_delivery(place: Home):
    deliver(place.landing, "orders", [{"number": "o2"}], "bad")
    later = NOON + dt.timedelta(hours=30)
    report = ingest(place, clock=lambda: later)
    assert [result.status for result in report.results] == ["refused"]
    assert found(place, later)["shop"].newest == NOON.replace(tzinfo=None)


@pytest.mark.parametrize("hours", [1, 37])
def test_each_required_feed_has_a_check_that_warns(place: Home, hours: int):
    specs = freshness_specs(contracts.load())
    assert {tuple(spec.asset_key.path) for spec in specs} == {
        ("shop", "orders"),
        ("shop", "order_lines"),
    }
    assert not any(spec.blocking for spec in specs)
    now = NOON + dt.timedelta(hours=hours)
    results = list(freshness_results(place, contracts.load(), now))
    assert [result.passed for result in results] == [hours == 1] * 2
    assert {result.severity.value for result in results} == {"WARN"}


def test_status_says_how_fresh_the_sources_are(place: Home):
    shown = {one.source: one for one in status(place).fresh}
    assert shown["shop"].newest == NOON.replace(tzinfo=None)
    # It looks at the clock, which is long after that noon.
    assert shown["shop"].is_late


def test_dbt_source_freshness_by_hand_says_the_same_and_keeps_the_audit(place: Home):
    with duckdb.connect(str(place.build_file)) as build:
        build.execute(
            "create or replace table control.build_audit as select 'x' as invocation_id, "
            "now()::timestamp as finished_at, true as passed, 1 as nodes_expected, "
            "1 as nodes_run, 1::bigint as last_delivery_id, '' as failures, "
            "['core.orders'] as relations"
        )
    told = dbt.call(place, "source", "freshness", "--select", "source:shop.orders")
    assert "WARN freshness of shop.orders" in told
    with open_build(place) as build:
        audit = read_audit(build)
    assert audit is not None and audit.invocation_id == "x"


@pytest.mark.parametrize(
    "limit", ["{count: 0, period: hour}", "{count: 1, period: week}", "{count: a, period: day}"]
)
def test_a_limit_that_cannot_be_meant_is_refused(tmp_path: Path, limit: str):
    source = (contracts.PROJECT / "models/staging/shop/_shop__sources.yml").read_text()
    path = tmp_path / "staging" / "shop" / "_shop__sources.yml"
    path.parent.mkdir(parents=True)
    path.write_text(source.replace("{count: 36, period: hour}", limit))
    with pytest.raises(contracts.ContractError, match=r"freshness\.warn_after"):
        contracts.load(tmp_path)
