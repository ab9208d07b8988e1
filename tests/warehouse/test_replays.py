"""The laws on one shop: however its files come and whatever fails, the same is published.

One shop, every feed, every kind of correction: delivered at once, in many runs with a failed one
and a rollback among them, in one run from the same files, and in permuted order.
"""

import json
import random
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from orchestration import control, dbt, versions
from orchestration.audit import Delivery
from orchestration.control import Publication, Request
from orchestration.home import Home, home
from orchestration.ingest import ingest
from orchestration.publish import NotPublishable, publish
from sample.generate import generate
from tests import warm
from tests.shops import Warehouse, quick_run
from tests.warehouse.replays import (
    OF_DELIVERIES,
    OF_FILES,
    Plan,
    add,
    checksums,
    differences,
    plan,
    read,
    without_day,
    write,
)

pytestmark = pytest.mark.slow

BATCHES = 12
# The batch after whose ingestion the build stops half way.
FAILING = 6
FIRST_MONTH_END = date(2025, 5, 31)
# Nothing at all is dated on this month-end.
QUIET = date(2026, 2, 28)
BUSY = date(2025, 12, 31)


@dataclass(frozen=True)
class Shop:
    """The shop's files, written once: at once, and one list of files per batch."""

    plan: Plan
    at_once: list[Path]
    batches: list[list[Path]]


@dataclass(frozen=True)
class ManyRuns:
    """What the many runs left: the warehouse, its manifests after each, and where each began."""

    warehouse: Warehouse
    manifests: list[dict[str, Any]]
    starts: list[tuple[int, bool, str | None]]
    before_backfill: Path


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    folder = tmp_path_factory.mktemp("shop")
    made = generate(folder, customers=300, months=14, seed=5)
    planned = plan(without_day(read(made.landing), QUIET), BATCHES, FAILING, seed=7)
    assert len(planned.kinds) > 15
    assert min(planned.kinds.values()) > 1, planned.kinds
    batches = [
        write(folder / "batches", batch, f"{number:02}")
        for number, batch in enumerate(planned.batches)
    ]
    for number, again in ((3, "03_again"), (8, "09_again")):
        copies = [file.with_name(f"{file.parent.name}_{again}.csv") for file in batches[number]]
        for file, copy in zip(batches[number], copies, strict=True):
            shutil.copyfile(file, copy)
        batches[int(again[:2])] += copies
    return Shop(planned, write(folder / "at_once", planned.at_once, "all"), batches)


def manifest_of(root: Path) -> dict[str, Any]:
    manifest = versions.current(home(root))
    assert manifest is not None
    return manifest


def start_of(root: Path) -> tuple[int, bool, str | None]:
    with duckdb.connect(str(home(root).build_file), read_only=True) as connection:
        found = connection.execute(
            "select since_delivery_id, is_full_rebuild, reason from control.increment"
        ).fetchone()
    assert found is not None
    return found


@pytest.fixture(scope="module")
def in_many_runs(shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> ManyRuns:
    root = tmp_path_factory.mktemp("many_runs")
    manifests, starts = [], []

    def run(*batches: int) -> None:
        for batch in batches:
            add(root, shop.batches[batch])
        quick_run(root)
        manifests.append(manifest_of(root))
        starts.append(start_of(root))

    run(0, 1, 2)
    run(3, 4, 5)
    # Ingested, but only some tables are replaced: nothing to publish, and more for the next to do.
    place = home(root)
    add(root, shop.batches[FAILING])
    ingest(place)
    some = ("+sales_ledger", "+int_orders__valued", "int_interactions__united")
    warm.call(place, "run", "--select", *some)
    with pytest.raises(NotPublishable):
        publish(place)
    run(FAILING + 1, 8)
    versions.rollback(place)
    run(9, 10, 11)
    before = tmp_path_factory.mktemp("before_backfill") / "published"
    shutil.copytree(root / "published", before, symlinks=True)
    warehouse = quick_run(root, Request(restate_from=FIRST_MONTH_END), tested=True)
    manifests.append(manifest_of(root))
    starts.append(start_of(root))
    return ManyRuns(warehouse, manifests, starts, before.parent)


@pytest.fixture(scope="module")
def in_one_run(shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """Return the warehouse of all the files of the many runs, taken in one."""
    root = tmp_path_factory.mktemp("one_run")
    for batch in shop.batches:
        add(root, batch)
    return quick_run(root, tested=True)


def test_the_many_runs_were_increments_and_caught_up(in_many_runs: ManyRuns):
    reasons = [reason for _, _, reason in in_many_runs.starts]
    assert reasons[0] == "nothing is published from this build file yet"
    assert reasons[1:] == [None] * 4, "a model or rule was edited while the test ran"
    last = [manifest["last_delivery_id"] for manifest in in_many_runs.manifests]
    since = [start for start, _, _ in in_many_runs.starts]
    # The run after the failed one begins where the last published one ended, the one after the
    # rollback where the version before had ended.
    assert since == [0, last[0], last[1], last[1], last[3]]


def test_many_runs_a_failed_one_and_a_rollback_equal_one_run(
    in_many_runs: ManyRuns, in_one_run: Warehouse
):
    found = differences(in_many_runs.warehouse, in_one_run, OF_DELIVERIES)
    assert not found
    without = list(OF_DELIVERIES)
    assert checksums(in_many_runs.warehouse, without) == checksums(in_one_run, without)


def test_many_runs_equal_the_facts_delivered_right_at_once(
    in_many_runs: ManyRuns, shop: Shop, tmp_path: Path
):
    add(tmp_path, shop.at_once)
    at_once = quick_run(tmp_path)
    found = differences(in_many_runs.warehouse, at_once, OF_FILES)
    assert not found
    without = list(OF_FILES)
    assert checksums(in_many_runs.warehouse, without) == checksums(at_once, without)


def test_month_ends_that_no_late_fact_marked_are_right_before_they_are_restated(
    in_many_runs: ManyRuns, in_one_run: Warehouse
):
    before = Warehouse(in_many_runs.before_backfill, in_many_runs.before_backfill)
    marked = in_many_runs.manifests[-2]["history"]["marked"]
    days = ", ".join(f"date '{day}'" for day in marked)
    history = "customer_segments_history"
    of_month_ends = (history, "rfm_cuts", "segment_performance", "segment_separation")
    unmarked = {table: f"as_of_date not in ({days})" for table in of_month_ends}
    # A change of stage after a marked month-end is a change from what that one says.
    unmarked["lifecycle_transitions"] = f"as_of_date < date '{min(marked)}'"
    unmarked["segment_migrations"] = unmarked["lifecycle_transitions"]
    # Whether an override was right is read in the history too.
    unmarked["override_ledger"] = "false"
    with before.connect() as connection:
        (count,) = connection.execute(
            f"select count(distinct as_of_date) from {history} where {unmarked[history]}"
        ).fetchone()
    assert marked and count > 0
    found = differences(before, in_one_run, OF_DELIVERIES, unmarked)
    assert not found
    found = differences(before, in_one_run, OF_DELIVERIES)
    assert history in found and set(found) <= set(unmarked)
    assert in_many_runs.manifests[-1]["history"]["marked"] == []


def test_a_replayed_delivery_touches_nothing(in_many_runs: ManyRuns, shop: Shop, tmp_path: Path):
    root = in_many_runs.warehouse.root
    add(root, shop.batches[2], prefix="replayed_")
    report = ingest(home(root))
    assert {result.status for result in report.results} == {"duplicate"}
    assert len(report.results) == len(shop.batches[2])
    place = home(root)
    touched = ("int_orders__touched", "int_interactions__touched", "int_customers__touched")
    warm.call(place, "run", "--select", *(f"+{model}" for model in touched))
    with in_many_runs.warehouse.build() as connection:
        for model in touched:
            rows = connection.execute(f"select count(*) from intermediate.{model}").fetchone()
            assert rows == (0,), model


@pytest.mark.parametrize(("seed", "runs"), [(1, 2), (2, 1)])
def test_permuted_deliveries_change_nothing(
    seed: int, runs: int, shop: Shop, in_one_run: Warehouse, tmp_path: Path
):
    batches = list(shop.batches)
    random.Random(seed).shuffle(batches)
    assert batches != shop.batches
    half = BATCHES // runs
    for run in range(runs):
        for position in range(run * half, (run + 1) * half):
            # Within a run the ledger follows the files' names.
            add(tmp_path, batches[position], prefix=f"{position:02}_")
        # What came in the first run is history by the second, until it is restated.
        permuted = quick_run(tmp_path, Request(restate_from=FIRST_MONTH_END) if run else None)
    assert start_of(tmp_path)[1] == (runs == 1), "a model or rule was edited while the test ran"
    found = differences(permuted, in_one_run, OF_DELIVERIES)
    assert not found


@pytest.mark.parametrize("day", [QUIET, BUSY])
def test_a_warehouse_of_a_past_day_equals_the_history(
    day: date, shop: Shop, in_one_run: Warehouse, tmp_path: Path
):
    for batch in shop.batches:
        add(tmp_path, batch)
    past = quick_run(tmp_path, Request(last_day=day))
    columns = (
        "as_of_date, customer_id, headline_segment, rfm_code, value_tier, abc_class, "
        "order_value_group, net_revenue_12m"
    )
    with past.connect() as then, in_one_run.connect() as now:
        marts = then.execute(
            f"select {columns} from customer_segments order by customer_id"
        ).fetchall()
        history = now.execute(
            f"select {columns} from customer_segments_history where as_of_date = ? "
            "order by customer_id",
            [day],
        ).fetchall()
        everybody = now.execute("select count(*) from customers").fetchone()
        facts = then.execute(
            "select count(*) from (select order_date as day from orders union all "
            "select refund_date from refunds union all select interaction_date from interactions "
            "union all select ledger_date from sales_ledger) where day > ?",
            [day],
        ).fetchone()
        on_the_day = then.execute(
            "select count(*) from sales_ledger where ledger_date = ?", [day]
        ).fetchone()
    assert len(history) > 30
    assert len(history) < everybody[0]
    assert marts == history
    assert facts == (0,)
    assert (on_the_day == (0,)) == (day == QUIET)


# Where a build may start from, without a build.

DELIVERIES = [
    Delivery(1, "shop", "orders", "a.csv", "aa", "landed", 1, 0),
    Delivery(2, "shop", "orders", "b.csv", "bb", "refused", 0, 0),
]
PUBLICATION = Publication(3, "x", 2)


def manifest(last: int | None = 2, deliveries: int = 2, **changes: Any) -> Mapping[str, Any]:
    ledger = DELIVERIES[:deliveries]
    return {
        "version": 3,
        "code_version": "code",
        "rule_version": "rules",
        "last_delivery_id": last,
        "deliveries": [
            {"id": one.delivery_id, "sha256": one.sha256, "status": one.status} for one in ledger
        ],
        **changes,
    }


def start(
    published: Mapping[str, Any] | None,
    publication: Publication | None = PUBLICATION,
    ledger: list[Delivery] = DELIVERIES,
) -> control.Start:
    return control.where_to_start(published, publication, ledger, "code", "rules")


def test_an_increment_starts_after_what_was_published():
    third = Delivery(3, "shop", "orders", "c.csv", "cc", "landed", 1, 0)
    found = start(manifest(), ledger=[*DELIVERIES, third])
    assert found == control.Start(2, None)
    assert not found.is_full_rebuild


@pytest.mark.parametrize(
    ("case", "reason"),
    [
        ({"published": None}, "nothing is published"),
        ({"published": manifest(), "publication": None}, "nothing is published"),
        ({"published": manifest(code_version="older")}, "the models changed"),
        ({"published": manifest(rule_version="older")}, "the rules changed"),
        ({"published": manifest(), "ledger": DELIVERIES[:1]}, "withdrawn, or this is not"),
        (
            {
                "published": manifest(),
                "ledger": [
                    DELIVERIES[0],
                    Delivery(2, "shop", "orders", "b.csv", "zz", "refused", 0, 0),
                ],
            },
            "withdrawn, or this is not",
        ),
        (
            {
                "published": manifest(),
                "ledger": [
                    Delivery(1, "shop", "orders", "a.csv", "aa", "withdrawn", 1, 0),
                    DELIVERIES[1],
                ],
            },
            "withdrawn",
        ),
        (
            {
                "published": manifest(last=1, deliveries=1),
                "ledger": [
                    DELIVERIES[0],
                    Delivery(2, "shop", "orders", "b.csv", "bb", "withdrawn", 1, 0),
                ],
            },
            "deliveries were withdrawn",
        ),
    ],
)
def test_everything_is_built_anew_where_nothing_can_be_built_upon(
    case: dict[str, Any], reason: str
):
    found = start(**case)
    assert found.is_full_rebuild
    assert found.since_delivery_id == 0
    assert reason in (found.rebuild_reason or "")


def test_after_a_rollback_the_older_version_is_the_start():
    assert start(manifest(last=1, deliveries=1)) == control.Start(1, None)


def test_a_publication_that_could_not_be_noted_starts_from_further_back():
    assert start(manifest(), Publication(2, "x", 1)) == control.Start(1, None)


def test_a_version_of_no_deliveries_is_a_start():
    nothing = manifest(last=None, deliveries=0)
    assert start(nothing, Publication(1, "x", 0)) == control.Start(0, None)


@pytest.fixture
def place(tmp_path: Path) -> Home:
    """Return a home from which nothing but a manifest of the models as they are was published."""
    place = home(tmp_path).prepare()
    folder = versions.versions_folder(place) / "3"
    folder.mkdir(parents=True)
    published = manifest(
        last=None,
        deliveries=0,
        code_version=dbt.code_version(),
        rule_version=dbt.rule_version(),
        invocation_id="published",
        tables={},
    )
    (folder / versions.MANIFEST).write_text(json.dumps(published))
    versions.switch(place, 3)
    control.record_publication(place, published)
    assert control.begin(place) == control.Start(0, None)
    return place


def test_an_edit_whose_run_failed_and_that_was_taken_back_is_not_built_upon(
    place: Home, monkeypatch: pytest.MonkeyPatch
):
    with monkeypatch.context() as edited:
        edited.setattr(dbt, "code_version", lambda: "edited")
        assert control.begin(place).rebuild_reason == "the models changed"
    # Not only once: the rebuild may fail as well.
    for _ in range(2):
        assert "tried out" in (control.begin(place).rebuild_reason or "")
    control.record_publication(place, manifest_of(place.root))
    assert not control.begin(place).is_full_rebuild


def test_an_edit_that_was_built_by_hand_and_taken_back_is_not_built_upon(place: Home):
    def build_by_hand(fingerprint: str) -> None:
        """Do what dbt's on-run-start hook does."""
        with duckdb.connect(str(place.build_file)) as connection:
            connection.execute(
                "insert into control.builds values ('dbt', ?, 'by hand')", [fingerprint]
            )

    build_by_hand("as published")
    assert not control.begin(place).is_full_rebuild
    build_by_hand("edited")
    assert control.begin(place).is_full_rebuild


@pytest.mark.parametrize(
    "changed", ["models/a.sql", "models/a.yml", "macros/b.sql", "estimation/c.py"]
)
def test_the_code_version_changes_with_models_and_macros(changed: str, tmp_path: Path):
    project = tmp_path
    for name in (
        "dbt_project.yml",
        "models/a.sql",
        "models/a.yml",
        "macros/b.sql",
        "estimation/c.py",
    ):
        (project / name).parent.mkdir(exist_ok=True)
        (project / name).write_text("one")
    before = dbt.code_version(project)
    assert dbt.code_version(project) == before
    (project / changed).write_text("two")
    assert dbt.code_version(project) != before


def test_the_rule_version_changes_with_a_seed(tmp_path: Path):
    (tmp_path / "settings.csv").write_text("setting,value\na,1\n")
    before = dbt.rule_version(tmp_path)
    (tmp_path / "settings.csv").write_text("setting,value\na,2\n")
    assert dbt.rule_version(tmp_path) != before
