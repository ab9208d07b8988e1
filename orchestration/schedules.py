"""When jobs run by themselves, by the environment that SEGMENTS_ENVIRONMENT names.

No environment is reached by falling through: an unknown name is an error, and so is none at all
where Dagster serves this location to a daemon or a UI.
"""

import os
import sys
from collections.abc import Mapping, Sequence

from dagster import DefaultScheduleStatus, ScheduleDefinition

VARIABLE = "SEGMENTS_ENVIRONMENT"

# Environment -> job -> when, in UTC. The refresh comes after the night's deliveries and before the
# working day, the month's end after the refresh, the review after the month's end.
TIMES: Mapping[str, Mapping[str, str]] = {
    "development": {
        "refresh": "0 4 * * *",
        "triggers": "20 * * * *",
        "month_end": "0 5 1 * *",
        "review": "0 7 1 * *",
    },
    "staging": {
        "refresh": "0 2 * * *",
        "triggers": "50 * * * *",
        "month_end": "0 3 1 * *",
        "review": "0 6 1 * *",
    },
    "production": {
        "refresh": "0 4 * * *",
        "triggers": "20 * * * *",
        "month_end": "0 5 1 * *",
        "review": "0 7 1 * *",
    },
}
# Elsewhere somebody switches on, in the UI, what he wants to see run.
RUNNING_BY_THEMSELVES = frozenset({"production"})


class EnvironmentUnknown(Exception):
    """SEGMENTS_ENVIRONMENT names no environment; the message lists those that there are."""


def environment(name: str | None, is_required: bool) -> str | None:
    """Return the environment that is meant, None where nobody needs one.

    Args:
        name: what SEGMENTS_ENVIRONMENT says; None or blank for nothing.
        is_required: whether something will run by itself.

    Raises:
        EnvironmentUnknown: there is no such environment, or none is named and one is required.
    """
    known = ", ".join(TIMES)
    if name and name not in TIMES:
        raise EnvironmentUnknown(f"{VARIABLE} is {name!r}: set it to one of {known}")
    if not name and is_required:
        raise EnvironmentUnknown(
            f"{VARIABLE} is not set: say what this is, one of {known}. In production jobs run by "
            f"themselves; elsewhere they are switched on in the UI"
        )
    return name or None


def is_served(arguments: Sequence[str], variables: Mapping[str, str]) -> bool:
    """Say whether this process serves the code location to a daemon or a UI that stays.

    `dagster dev` typed by hand is a look at the project: it goes without an environment, and then
    without schedules.
    """
    return list(arguments[1:3]) == ["api", "grpc"] and "DAGSTER_IS_DEV_CLI" not in variables


def this_environment() -> str | None:
    """Return the environment of this process.

    Raises:
        EnvironmentUnknown: see `environment`.
    """
    return environment(os.environ.get(VARIABLE), is_served(sys.argv, os.environ))


def runs_by_itself(name: str | None) -> bool:
    """Say whether schedules and sensors are on in an environment from the start."""
    return name in RUNNING_BY_THEMSELVES


def schedules(name: str | None) -> list[ScheduleDefinition]:
    """Return the schedules of an environment, none where there is none."""
    if name is None:
        return []
    status = (
        DefaultScheduleStatus.RUNNING if runs_by_itself(name) else DefaultScheduleStatus.STOPPED
    )
    return [
        ScheduleDefinition(
            name=f"{job}_by_the_clock",
            job_name=job,
            cron_schedule=cron,
            execution_timezone="UTC",
            default_status=status,
        )
        for job, cron in TIMES[name].items()
    ]
