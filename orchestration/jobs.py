"""The jobs: what runs as one piece, each in one process, step after step.

dbt's assets have no partitions: a job that mixed assets with and without them would be partitioned
as a whole, so a backfill is `month_end` with a day to begin from, in one run.
"""

from collections.abc import Mapping

from dagster import AssetSelection, define_asset_job, in_process_executor
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from orchestration.assets import delivered_specs, freshness_specs
from orchestration.contracts import Source

TRIGGERS = AssetSelection.assets("triggers")
REVIEW = AssetSelection.assets("review")
PIPELINE = AssetSelection.all() - TRIGGERS - REVIEW

# A run whose process died is repeated from its first step: only ingestion settles what a build
# starts from, and half a build has changed that.
WHOLE = {"dagster/retry_strategy": "ALL_STEPS"}


def jobs(contracts: Mapping[str, Source]) -> list[UnresolvedAssetJobDefinition]:
    """Return all jobs."""
    # With ingestion's own checks, and without those that dbt makes of its tests of sources.
    delivered = AssetSelection.assets(
        *(spec.key for spec in delivered_specs(contracts))
    ).without_checks() | AssetSelection.checks(*(spec.key for spec in freshness_specs(contracts)))
    return [
        define_asset_job(
            "refresh",
            selection=PIPELINE,
            executor_def=in_process_executor,
            run_tags=WHOLE,
            description=(
                "Take in what was delivered, build and test everything, publish if all passed."
            ),
        ),
        define_asset_job(
            "month_end",
            selection=PIPELINE,
            executor_def=in_process_executor,
            run_tags=WHOLE,
            config={"ops": {"ingest": {"config": {"restate_marked": True}}}},
            description=(
                "As `refresh`, and compute those month-ends of the history anew that late facts "
                "have marked. `restate_from: YYYY-MM-DD` in the configuration of `ingest` makes it "
                "a backfill: the month-ends from that day on, in one run."
            ),
        ),
        define_asset_job(
            "triggers",
            selection=delivered | TRIGGERS,
            executor_def=in_process_executor,
            run_tags=WHOLE,
            description=(
                "Take in what was delivered and publish the codes of the customers that it "
                "touched, in one small file beside the version."
            ),
        ),
        define_asset_job(
            "review",
            selection=REVIEW,
            executor_def=in_process_executor,
            run_tags=WHOLE,
            description=(
                "Write the month's report on the models, segments and rules into exports/reviews."
            ),
        ),
    ]
