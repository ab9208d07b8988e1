"""What starts or tells something by itself: a finished new delivery, and a run that failed."""

from collections.abc import Mapping
from datetime import UTC, datetime

from dagster import (
    DagsterInstance,
    DagsterRunStatus,
    DefaultSensorStatus,
    RunFailureSensorContext,
    RunRequest,
    RunsFilter,
    SensorDefinition,
    SensorEvaluationContext,
    SkipReason,
    run_failure_sensor,
    sensor,
)

from orchestration import dbt, failures, landing
from orchestration.contracts import Source
from orchestration.home import home
from orchestration.schedules import runs_by_itself

# A look reads the names in a folder. A file has to be the same at two of them.
LOOKS_SECONDS = 10
WAITING_OR_RUNNING = [
    DagsterRunStatus.QUEUED,
    DagsterRunStatus.NOT_STARTED,
    DagsterRunStatus.STARTING,
    DagsterRunStatus.STARTED,
    DagsterRunStatus.CANCELING,
]
# These jobs publish whatever was delivered before they began.
PUBLISHING = ("refresh", "month_end")


def sensors(environment: str | None, contracts: Mapping[str, Source]) -> list[SensorDefinition]:
    """Return the sensors of an environment, none where there is none."""
    if environment is None:
        return []
    status = (
        DefaultSensorStatus.RUNNING if runs_by_itself(environment) else DefaultSensorStatus.STOPPED
    )
    return [new_delivery(contracts, status), failed_run(environment, status)]


def new_delivery(contracts: Mapping[str, Source], status: DefaultSensorStatus) -> SensorDefinition:
    """Return the sensor that asks for one refresh when files are finished, and for no storm."""

    @sensor(
        name="new_delivery",
        job_name="refresh",
        minimum_interval_seconds=LOOKS_SECONDS,
        default_status=status,
        description="Asks for a refresh when a delivered file is whole and not published yet.",
    )
    def watch(context: SensorEvaluationContext) -> RunRequest | SkipReason:
        found = landing.look(home(), contracts)
        if not found.new:
            waiting = f"{len(found.changing)} files are still changing" if found.changing else ""
            return SkipReason(waiting or "nothing new was delivered")
        if is_publishing(context.instance):
            return SkipReason("a run that publishes waits or works; looked at again after it")
        if context.cursor == found.key:
            return SkipReason("a run was asked for these files already, and did not publish them")
        context.update_cursor(found.key)
        return RunRequest(run_key=found.key, tags={"segments/new_files": str(len(found.new))})

    return watch


def is_publishing(instance: DagsterInstance) -> bool:
    """Say whether a run that will publish is waiting or at work."""
    return any(
        instance.get_runs_count(RunsFilter(job_name=job, statuses=WAITING_OR_RUNNING))
        for job in PUBLISHING
    )


def failed_run(environment: str, status: DefaultSensorStatus) -> SensorDefinition:
    """Return the sensor that tells of each failed run, once."""

    @run_failure_sensor(
        name="failed_run",
        minimum_interval_seconds=LOOKS_SECONDS,
        default_status=status,
        description="Writes a line into logs/failures.log and calls SEGMENTS_WEBHOOK_URL, if set.",
    )
    def tell(context: RunFailureSensorContext) -> None:
        place = home()
        steps = context.get_step_failure_events()
        step = steps[0].step_key if steps else None
        error = steps[0].step_failure_data.error if steps else None
        while error is not None and error.cause is not None:
            error = error.cause
        broken = dbt.findings(dbt.read_results(place)) if step == "build" else []
        outcome = failures.tell(
            place,
            failures.Failure(
                at=datetime.now(UTC).isoformat(timespec="seconds"),
                job=context.dagster_run.job_name,
                run_id=context.dagster_run.run_id,
                step=step,
                error=error.cls_name if error else None,
                tests=tuple(found.name for found in broken if found.status != "warn"),
                environment=environment,
            ),
        )
        context.log.info(f"told of run {context.dagster_run.run_id}; webhook: {outcome}")

    return tell
