"""The job `refresh`, run to its end in this process, and what came of it."""

import logging
import os
import re
import shutil
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestration import dbt, logs, progress
from orchestration.broken_rules import with_broken_rules
from orchestration.control import Request
from orchestration.home import PROJECT, Home, writer_lock

if TYPE_CHECKING:
    from dagster._utils.error import SerializableErrorInfo


# A run of millions of orders takes minutes; whoever waits longer than this wants to know.
RUN_WAIT_SECONDS = 1800.0


@dataclass(frozen=True)
class Outcome:
    """How a run ended.

    `failed_step` is None where the run published; `problem` is the step's own error message, and
    `findings` are the models and tests of this run that failed or warned, `warnings` what ingestion
    says of the deliveries.
    """

    run_id: str
    failed_step: str | None
    problem: str | None
    findings: list[dbt.Finding]
    warnings: list[str]


def dagster_home(place: Home) -> Path:
    """Return Dagster's folder of a home, with this project's settings in it."""
    folder = place.prepare().logs / "dagster"
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(PROJECT / "orchestration" / "dagster.yaml", folder / "dagster.yaml")
    return folder


def settle_environment(place: Home) -> None:
    """Point dbt and Dagster, here and in what this process starts, to one home; no telemetry."""
    os.environ.update(dbt.environment(place))
    os.environ["DAGSTER_HOME"] = str(dagster_home(place))
    os.environ["DAGSTER_DISABLE_TELEMETRY"] = "yes"


def run_config(landing: Path | None, request: Request | None = None) -> dict[str, Any]:
    """Return the job's configuration: what it is asked for, and a terminal kept for people."""
    asked = request or Request()
    config = {
        "folder": "" if landing is None else str(landing.resolve()),
        "restate_from": asked.restate_from.isoformat() if asked.restate_from else "",
        "last_day": asked.last_day.isoformat() if asked.last_day else "",
    }
    return {
        "ops": {"ingest": {"config": config}},
        "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},
    }


def refresh(place: Home, landing: Path | None = None, request: Request | None = None) -> Outcome:
    """Run the job `refresh` for a home.

    Args:
        place: the home.
        landing: the landing folder, that of the home by default.
        request: what the run is asked for beside the new deliveries.

    Raises:
        DbtFailed: the project does not parse.
        WriterBusy: another run did not end in time.
    """
    settle_environment(place)
    warnings.filterwarnings("ignore", module="dagster")
    logging.getLogger("dagster").setLevel(logging.CRITICAL)
    progress.say("reading the project")

    # Only now: the definitions read the home that was just settled, and take seconds to import.
    from dagster import DagsterInstance

    from orchestration.definitions import defs
    from orchestration.lean_dagster import histories_kept_open

    with (
        writer_lock(place, "a run", wait_seconds=RUN_WAIT_SECONDS, name="run.lock"),
        progress.collected_warnings() as found,
        histories_kept_open(),
        DagsterInstance.get() as instance,
    ):
        logs.begin_day(place)
        result = defs.resolve_job_def("refresh").execute_in_process(
            instance=instance, run_config=run_config(landing, request), raise_on_error=False
        )
        failures = [event for event in result.all_events if event.is_step_failure]
        logs.remove_old(place, instance)
    if not failures:
        return Outcome(result.run_id, None, None, _findings(place), found)
    failed = failures[0]
    return Outcome(
        run_id=result.run_id,
        failed_step=failed.step_key,
        problem=_innermost(failed.event_specific_data.error),
        findings=[] if failed.step_key == "ingest" else _findings(place),
        warnings=found,
    )


def _findings(place: Home) -> list[dbt.Finding]:
    results = dbt.read_results(place)
    return with_broken_rules(place, dbt.findings(results), results)


def _innermost(error: "SerializableErrorInfo") -> str:
    """Return the message of the error at the bottom of Dagster's chain, without its class."""
    while error.cause is not None:
        error = error.cause
    if "DagsterExecutionInterruptedError" in error.message:
        return "it was stopped from outside"
    return re.sub(r"^[\w.]+: ", "", error.message.strip())
