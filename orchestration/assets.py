"""The assets of the warehouse: delivered feeds, dbt's models and tests, what is published."""

import atexit
import contextlib
import json
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from dagster import (
    AssetExecutionContext,
    AssetKey,
    AssetsDefinition,
    AssetSpec,
    Config,
    MaterializeResult,
    MetadataValue,
    multi_asset,
)
from dagster_dbt import (
    DagsterDbtTranslator,
    DagsterDbtTranslatorSettings,
    DbtCliResource,
    dbt_assets,
)

from orchestration import dbt, progress
from orchestration.contracts import Source
from orchestration.control import TABLES, Request
from orchestration.home import home, writer_lock
from orchestration.ingest import ingest
from orchestration.publish import publish

# One writer of the build file, whatever the number of runs; the limit stands in dagster.yaml.
WRITER_POOL = "duckdb_writer"
LEDGER_TABLES = ("deliveries", "quarantine")
MARTS = "models/marts/"


class Landing(Config):
    """What a run takes in and is asked for.

    `folder`: where the delivered files lie; empty means the home's own landing folder.
    `restate_from`: compute the month-ends from this day (YYYY-MM-DD) on anew; empty means none.
    `last_day`: make a warehouse that knows of nothing later; empty means all days.
    """

    folder: str = ""
    restate_from: str = ""
    last_day: str = ""


class Translator(DagsterDbtTranslator):
    """Show dbt's nodes in groups that read like the project: a layer, or a folder of marts."""

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str:
        """Return the node's layer, its folder if it is a mart, or `rules` for a seed."""
        if dbt_resource_props["resource_type"] == "seed":
            return "rules"
        _, layer, *folders = dbt_resource_props["fqn"]
        return f"marts_{folders[0]}" if layer == "marts" else layer


# Tests of sources are checks too: a test that is no check would not show in Dagster.
TRANSLATOR = Translator(settings=DagsterDbtTranslatorSettings(enable_source_tests_as_checks=True))


def delivered_specs(contracts: Mapping[str, Source]) -> list[AssetSpec]:
    """Return one asset per raw table, under the key that dbt gives its source table."""
    feeds = [
        AssetSpec(AssetKey([source.name, feed.name]), group_name="delivered")
        for source in contracts.values()
        for feed in source.feeds
    ]
    ledger = [
        AssetSpec(AssetKey(["ledger", name]), group_name="delivered") for name in LEDGER_TABLES
    ]
    start = [AssetSpec(AssetKey(["control", name]), group_name="delivered") for name in TABLES]
    return feeds + ledger + start


def mart_keys(manifest: Mapping[str, Any]) -> list[AssetKey]:
    """Return the keys of all marts: publishing waits for every one of them."""
    return [
        TRANSLATOR.get_asset_key(node)
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model" and node["original_file_path"].startswith(MARTS)
    ]


def delivered_assets(contracts: Mapping[str, Source]) -> AssetsDefinition:
    """Return the step that takes in what was delivered, with one asset per raw table."""

    @multi_asset(
        name="ingest", specs=delivered_specs(contracts), can_subset=False, pool=WRITER_POOL
    )
    def ingested(context: AssetExecutionContext, config: Landing) -> Iterator[MaterializeResult]:
        request = Request(
            restate_from=date.fromisoformat(config.restate_from) if config.restate_from else None,
            last_day=date.fromisoformat(config.last_day) if config.last_day else None,
        )
        landing = Path(config.folder) if config.folder else None
        report = ingest(home(), landing=landing, progress=progress.stage("ingest"), request=request)
        for warning in report.warnings:
            context.log.warning(warning)
            progress.warn(warning)
        for spec in delivered_specs(contracts):
            source, feed = spec.key.path
            taken = [r for r in report.results if (r.source, r.feed) == (source, feed)]
            yield MaterializeResult(
                asset_key=spec.key,
                metadata={
                    "deliveries": len(taken),
                    "rows_landed": sum(result.rows_landed for result in taken),
                    "rows_quarantined": sum(result.rows_quarantined for result in taken),
                },
            )

    return ingested


def built_assets(manifest: Path) -> AssetsDefinition:
    """Return dbt's models and seeds with their tests as checks, built by one command."""

    nodes = json.loads(manifest.read_text())["nodes"].values()
    total = sum(node["resource_type"] in ("model", "seed", "test") for node in nodes)

    @dbt_assets(
        manifest=manifest, dagster_dbt_translator=TRANSLATOR, name="build", pool=WRITER_POOL
    )
    def built(context: AssetExecutionContext, dbt_cli: DbtCliResource) -> Iterator[Any]:
        place = home()
        with writer_lock(place, "dbt build"):
            # Else the results of the build before would stand for one that could write none.
            (dbt.target_folder(place) / "run_results.json").unlink(missing_ok=True)
            invocation = dbt_cli.cli(
                list(dbt.BUILD_ARGUMENTS), context=context, target_path=dbt.target_folder(place)
            )
            # Where this process ends by an error of its own, dbt would go on without the lock.
            atexit.register(dbt.stop, invocation.process)
            yield from _told(invocation.stream(), total)

    return built


def _told(events: Iterator[Any], total: int) -> Iterator[Any]:
    """Pass dbt's events on and say how far it is; if a person listens, its log goes to a file."""
    if not progress.is_heard():
        yield from events
        return
    log = home().logs / "dbt" / "console.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w") as stream:
        done = 0
        say = progress.stage("build")
        while True:
            with contextlib.redirect_stdout(stream):
                event = next(events, None)
            if event is None:
                return
            done += 1
            say(f"{done} of {total} models and tests")
            yield event


def published_assets(marts: list[AssetKey]) -> AssetsDefinition:
    """Return the step that writes a new version and switches readers to it."""

    @multi_asset(
        name="publish",
        specs=[AssetSpec("published", deps=marts, group_name="published")],
        pool=WRITER_POOL,
    )
    def published() -> MaterializeResult:
        result = publish(home(), progress=progress.stage("publish"))
        return MaterializeResult(
            metadata={
                "version": result.version,
                "as_of_date": str(result.as_of_date),
                "rows": MetadataValue.json(result.tables),
            }
        )

    return published
