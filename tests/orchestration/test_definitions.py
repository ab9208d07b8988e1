"""The code location: lineage without a gap, every dbt test a check, nothing else to configure."""

import json
import os
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from dagster import AssetKey, Definitions

from orchestration import assets, contracts, dbt
from orchestration.assets import WRITER_POOL, Landing, requested, runs_ingest
from orchestration.control import Request
from orchestration.home import PROJECT, home
from orchestration.pipeline import RUN_WAIT_SECONDS, settle_environment


@pytest.fixture(scope="module")
def location(tmp_path_factory: pytest.TempPathFactory) -> tuple[Definitions, dict[str, Any]]:
    """Return the definitions as Dagster loads them, and the manifest they were made from."""
    place = home(tmp_path_factory.mktemp("home"))
    before = dict(os.environ)
    try:
        settle_environment(place)
        import importlib

        import orchestration.definitions as definitions

        defs = importlib.reload(definitions).defs
        manifest = json.loads((dbt.target_folder(place) / "manifest.json").read_text())
    finally:
        os.environ.clear()
        os.environ.update(before)
    return defs, manifest


def data_tests(manifest: dict[str, Any]) -> set[str]:
    return {node["name"] for node in manifest["nodes"].values() if node["resource_type"] == "test"}


def test_every_dbt_test_is_an_asset_check(location):
    defs, manifest = location
    checks = {key.name for key in defs.resolve_asset_graph().asset_check_keys}
    assert len(data_tests(manifest)) > 50
    assert data_tests(manifest) - checks == set()


def test_checks_of_severity_error_block(location):
    defs, manifest = location
    severity = {
        node["name"]: node["config"]["severity"].lower()
        for node in manifest["nodes"].values()
        if node["resource_type"] == "test"
    }
    graph = defs.resolve_asset_graph()
    # Ingestion's own check warns: a late source is no reason to keep what came from publishing.
    own = {key for key in graph.asset_check_keys if key.name == "delivers_in_time"}
    assert {graph.get_check_spec(key).blocking for key in own} == {False}
    for key in graph.asset_check_keys - own:
        assert graph.get_check_spec(key).blocking == (severity[key.name] == "error"), key


def test_lineage_runs_from_the_delivered_file_to_the_published_one(location):
    defs, _ = location
    graph = defs.resolve_asset_graph()
    published = graph.get(AssetKey("published"))
    seen: set[AssetKey] = set()
    waiting = list(published.parent_keys)
    while waiting:
        key = waiting.pop()
        if key not in seen:
            seen.add(key)
            waiting += graph.get(key).parent_keys
    delivered = {
        AssetKey([source.name, feed])
        for source in contracts.load().values()
        for feed in ("orders", "order_lines", "invoice_lines")
        if feed in {known.name for known in source.feeds}
    }
    assert delivered <= seen
    assert AssetKey(["ledger", "deliveries"]) in seen


def test_no_asset_hangs_in_the_air(location):
    defs, _ = location
    graph = defs.resolve_asset_graph()
    external = {key for key in graph.get_all_asset_keys() if not graph.get(key).is_materializable}
    assert external == set()


def test_publishing_waits_for_every_mart(location):
    defs, manifest = location
    marts = {
        node["name"]
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model"
        and node["original_file_path"].startswith("models/marts")
    }
    parents = {
        key.path[-1] for key in defs.resolve_asset_graph().get(AssetKey("published")).parent_keys
    }
    assert parents == marts


STEPS = {
    "refresh": {"ingest", "build", "publish"},
    "month_end": {"ingest", "build", "publish"},
    "triggers": {"ingest", "trigger"},
    "review": {"write_review"},
}


@pytest.mark.parametrize("name", STEPS)
def test_a_job_holds_its_steps_in_one_process_and_without_partitions(location, name: str):
    defs, _ = location
    job = defs.resolve_job_def(name)
    assert set(job.graph.node_dict) == STEPS[name]
    assert job.executor_def.name == "in_process"
    assert job.partitions_def is None
    # A run whose process died is repeated from its first step.
    assert job.run_tags["dagster/retry_strategy"] == "ALL_STEPS"


def test_whatever_writes_the_build_file_is_in_one_pool_and_is_never_retried_by_itself(location):
    defs, _ = location
    nodes = {node.name: node for node in defs.resolve_job_def("refresh").graph.nodes}
    nodes |= {node.name: node for node in defs.resolve_job_def("triggers").graph.nodes}
    assert {name: node.definition.pool for name, node in nodes.items()} == dict.fromkeys(
        ("ingest", "build", "publish", "trigger"), WRITER_POOL
    )
    assert all(node.retry_policy is None for node in nodes.values())
    assert all(node.definition.retry_policy is None for node in nodes.values())


def test_month_end_restates_what_is_marked_unless_it_is_asked_for_more(location):
    defs, _ = location
    job = defs.resolve_job_def("month_end")
    assert job.run_config["ops"]["ingest"]["config"]["restate_marked"] is True
    assert not defs.resolve_job_def("refresh").run_config


def test_the_published_version_grows_old_by_a_policy(location):
    defs, _ = location
    spec = defs.resolve_asset_graph().get(AssetKey("published")).assets_def
    policy = spec.specs_by_key[AssetKey("published")].freshness_policy
    assert policy.warn_window < policy.fail_window


def test_the_instance_is_set_for_one_writer_that_may_die():
    settings = yaml.safe_load((PROJECT / "orchestration" / "dagster.yaml").read_text())
    assert settings["telemetry"] == {"enabled": False}
    assert settings["concurrency"]["runs"]["max_concurrent_runs"] == 1
    assert settings["concurrency"]["pools"] == {"default_limit": 1, "granularity": "run"}
    assert settings["run_launcher"] == {"module": "orchestration.launcher", "class": "Launcher"}
    assert settings["run_retries"]["max_retries"] == 1
    assert settings["run_retries"]["retry_on_asset_or_op_failure"] is False
    assert settings["freshness"]["enabled"] is True
    # Else a run that waits for one of the command line would be taken for one that does not start.
    assert settings["run_monitoring"]["start_timeout_seconds"] > RUN_WAIT_SECONDS


DAY = date(2026, 2, 28)
MARKED = ["2026-03-31", "2026-04-30"]


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (Landing(), Request()),
        (Landing(restate_from="2026-02-28"), Request(restate_from=DAY)),
        (Landing(restate_marked=True), Request(restate_from=date(2026, 3, 31))),
        (Landing(restate_marked=True, restate_from="2026-02-28"), Request(restate_from=DAY)),
        (Landing(last_day="2026-02-28"), Request(last_day=DAY)),
    ],
)
def test_what_a_run_is_asked_for(
    config: Landing, expected: Request, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(assets.versions, "current", lambda _: {"history": {"marked": MARKED}})
    assert requested(config, home(tmp_path)) == expected


def test_nothing_is_restated_where_nothing_is_marked_or_published(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    for manifest in ({"history": {"marked": []}}, {"history": {}}, None):
        monkeypatch.setattr(assets.versions, "current", lambda _, held=manifest: held)
        assert requested(Landing(restate_marked=True), home(tmp_path)) == Request()


LEDGER = AssetKey(["ledger", "deliveries"])
MART = AssetKey(["customers", "customer_segments"])


@pytest.mark.parametrize(
    ("steps", "chosen", "expected"),
    [
        (None, None, True),
        (["ingest", "build", "publish"], None, True),
        (["build", "publish"], None, False),
        (None, {MART}, False),
        (None, {LEDGER, MART}, True),
    ],
)
def test_a_build_without_its_ingestion_settles_where_it_starts(steps, chosen, expected: bool):
    run = SimpleNamespace(step_keys_to_execute=steps, asset_selection=chosen)
    assert runs_ingest(SimpleNamespace(run=run)) == expected
