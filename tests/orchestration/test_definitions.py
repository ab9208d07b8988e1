"""The code location: lineage without a gap, every dbt test a check, nothing else to configure."""

import json
import os
from typing import Any

import pytest
from dagster import AssetKey, Definitions

from orchestration import contracts, dbt
from orchestration.home import home
from orchestration.pipeline import settle_environment


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
    for key in graph.asset_check_keys:
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


def test_the_daily_job_holds_the_whole_pipeline(location):
    defs, _ = location
    job = defs.resolve_job_def("refresh")
    assert set(job.graph.node_dict) == {"ingest", "build", "publish"}
