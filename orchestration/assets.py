"""The assets of the warehouse: delivered feeds, dbt's models and tests, what is published."""

import atexit
import contextlib
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from dagster import (
    AssetCheckResult,
    AssetCheckSeverity,
    AssetCheckSpec,
    AssetExecutionContext,
    AssetKey,
    AssetsDefinition,
    AssetSpec,
    Config,
    FreshnessPolicy,
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

from orchestration import audit, control, dbt, freshness, progress, versions
from orchestration.contracts import Source
from orchestration.control import TABLES, Request
from orchestration.home import Home, home, writer_lock
from orchestration.ingest import ingest
from orchestration.publish import Published, publish
from orchestration.readers import open_published
from orchestration.review import review
from orchestration.triggers import run_triggers

# One writer of the build file, whatever the number of runs; the limit stands in dagster.yaml.
WRITER_POOL = "duckdb_writer"
LEDGER_TABLES = ("deliveries", "quarantine")
MARTS = "models/marts/"


class Landing(Config):
    """What a run takes in and is asked for.

    `folder`: where the delivered files lie; empty means the home's own landing folder.
    `restate_from`: compute the month-ends from this day (YYYY-MM-DD) on anew; empty means none.
    `restate_marked`: compute those anew that late facts have marked, and all after the first one.
    `last_day`: make a warehouse that knows of nothing later; empty means all days.
    """

    folder: str = ""
    restate_from: str = ""
    restate_marked: bool = False
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
        name="ingest",
        specs=delivered_specs(contracts),
        check_specs=freshness_specs(contracts),
        can_subset=False,
        pool=WRITER_POOL,
    )
    def ingested(
        context: AssetExecutionContext, config: Landing
    ) -> Iterator[MaterializeResult | AssetCheckResult]:
        request = requested(config, home())
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
        yield from freshness_results(home(), contracts, datetime.now(UTC))

    return ingested


def requested(config: Landing, place: Home) -> Request:
    """Return what a run's configuration asks for beside the new deliveries."""
    days = [date.fromisoformat(config.restate_from)] if config.restate_from else []
    if config.restate_marked:
        history = (versions.current(place) or {}).get("history", {})
        days += [date.fromisoformat(day) for day in history.get("marked", [])]
    return Request(
        restate_from=min(days, default=None),
        last_day=date.fromisoformat(config.last_day) if config.last_day else None,
    )


def freshness_specs(contracts: Mapping[str, Source]) -> list[AssetCheckSpec]:
    """Return one check per required feed of each source that can be late; a late one warns."""
    return [
        AssetCheckSpec(
            "delivers_in_time",
            asset=AssetKey([source.name, feed.name]),
            description=f"The source delivered within {source.late_after}, as its contract says.",
        )
        for source in contracts.values()
        if source.late_after is not None
        for feed in source.feeds
        if feed.required
    ]


def freshness_results(
    place: Home, contracts: Mapping[str, Source], now: datetime
) -> Iterator[AssetCheckResult]:
    """Judge how fresh the sources are, one result per spec."""
    with audit.open_build(place) as build:
        found = {one.source: one for one in freshness.freshness(build, contracts, now)}
    for spec in freshness_specs(contracts):
        known = found[spec.asset_key.path[0]]
        metadata: dict[str, Any] = {"found": str(known)}
        if known.hours is not None:
            metadata["hours_since_delivery"] = known.hours
        yield AssetCheckResult(
            passed=not known.is_late,
            asset_key=spec.asset_key,
            check_name=spec.name,
            severity=AssetCheckSeverity.WARN,
            metadata=metadata,
        )


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
            if not runs_ingest(context):
                # Launched without its ingestion, as a step again from the UI: half a build may have
                # changed what ingestion settled.
                control.begin(place)
            # Else the results of the build before would stand for one that could write none.
            (dbt.target_folder(place) / "run_results.json").unlink(missing_ok=True)
            invocation = dbt_cli.cli(
                list(dbt.BUILD_ARGUMENTS), context=context, target_path=dbt.target_folder(place)
            )
            # Where this process ends by an error of its own, dbt would go on without the lock.
            atexit.register(dbt.stop, invocation.process)
            yield from _told(invocation.stream(), total)

    return built


def runs_ingest(context: AssetExecutionContext) -> bool:
    """Say whether this run takes in deliveries before it builds."""
    steps = context.run.step_keys_to_execute
    chosen = context.run.asset_selection
    if steps is not None:
        return "ingest" in steps
    return chosen is None or any(key.path[0] == "ledger" for key in chosen)


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
        specs=[
            AssetSpec(
                "published",
                deps=marts,
                group_name="published",
                freshness_policy=FreshnessPolicy.time_window(
                    fail_window=freshness.PUBLISHED_FAILS_AFTER,
                    warn_window=freshness.PUBLISHED_WARNS_AFTER,
                ),
            )
        ],
        pool=WRITER_POOL,
    )
    def published(context: AssetExecutionContext) -> MaterializeResult:
        result = publish(home(), progress=progress.stage("publish"))
        began = context.instance.get_run_stats(context.run_id).start_time
        return MaterializeResult(metadata=described(result, home(), began, datetime.now(UTC)))

    return published


def described(
    result: Published, place: Home, began: float | None, now: datetime
) -> dict[str, MetadataValue]:
    """Return what a person wants to know of a new version.

    Args:
        result: the version.
        place: its home.
        began: when the run began, in seconds since 1970; None where nobody knows.
        now: with its zone.
    """
    metadata = {
        "version": MetadataValue.int(result.version),
        "as_of_date": MetadataValue.text(str(result.as_of_date)),
        "rows": MetadataValue.int(sum(result.tables.values())),
        "rows_by_table": MetadataValue.json(result.tables),
        "unchanged_files": MetadataValue.text(", ".join(result.unchanged) or "none"),
        "manifest": MetadataValue.path(str(result.path / versions.MANIFEST)),
    }
    if began is not None:
        metadata["run_seconds"] = MetadataValue.float(round(now.timestamp() - began, 1))
    if "customer_segments" in result.tables:
        with open_published(place, "marts.duckdb", version=result.version) as marts:
            customers, revenue = marts.execute(
                "select count(*), coalesce(sum(net_revenue_12m), 0) from customer_segments"
            ).fetchone() or (0, 0)
        metadata["customers"] = MetadataValue.int(customers)
        metadata["net_revenue_12m"] = MetadataValue.float(float(revenue))
    return metadata


def triggers_assets(contracts: Mapping[str, Source]) -> AssetsDefinition:
    """Return the hourly step, which publishes the codes of touched customers."""
    delivered = [spec.key for spec in delivered_specs(contracts)]

    @multi_asset(
        name="trigger",
        specs=[AssetSpec("triggers", deps=delivered, group_name="published")],
        pool=WRITER_POOL,
    )
    def triggered(context: AssetExecutionContext) -> MaterializeResult:
        result = run_triggers(home())
        if result.reason is not None:
            context.log.info(result.reason)
        return MaterializeResult(
            metadata={
                "base_version": str(result.base_version),
                "as_of_date": str(result.as_of_date),
                "customers": result.customers,
                "customers_with_other_codes": result.changed,
                "nothing_because": result.reason or "",
            }
        )

    return triggered


def review_assets() -> AssetsDefinition:
    """Return the step that writes the month's report."""

    @multi_asset(
        name="write_review",
        specs=[AssetSpec("review", deps=["published"], group_name="published")],
    )
    def reviewed() -> MaterializeResult:
        result = review(home())
        return MaterializeResult(
            metadata={
                "report": MetadataValue.path(str(result.path)),
                "version": result.version,
                "as_of_date": str(result.as_of_date),
                "to_look_at": len(result.warnings),
            }
        )

    return reviewed
