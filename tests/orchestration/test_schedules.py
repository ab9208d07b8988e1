"""What runs by itself where: by a table without a default."""

import pytest
from dagster import DefaultScheduleStatus, DefaultSensorStatus

from orchestration import contracts
from orchestration.schedules import (
    TIMES,
    EnvironmentUnknown,
    environment,
    is_served,
    runs_by_itself,
    schedules,
)
from orchestration.sensors import sensors

JOBS = {"refresh", "triggers", "month_end", "review"}
SERVER = ["/venv/bin/python", "api", "grpc", "--lazy-load-user-code"]


def test_every_environment_says_when_each_job_runs():
    assert set(TIMES) == {"development", "staging", "production"}
    assert all(set(times) == JOBS for times in TIMES.values())


@pytest.mark.parametrize("name", TIMES)
def test_only_production_runs_by_itself(name: str):
    is_on = name == "production"
    assert runs_by_itself(name) == is_on
    found = schedules(name)
    assert {schedule.job_name for schedule in found} == JOBS
    assert {schedule.cron_schedule for schedule in found} == set(TIMES[name].values())
    assert {schedule.execution_timezone for schedule in found} == {"UTC"}
    on, off = DefaultScheduleStatus.RUNNING, DefaultScheduleStatus.STOPPED
    assert {schedule.default_status for schedule in found} == {on if is_on else off}
    watching = sensors(name, contracts.load())
    assert {sensor.name for sensor in watching} == {"new_delivery", "failed_run"}
    on, off = DefaultSensorStatus.RUNNING, DefaultSensorStatus.STOPPED
    assert {sensor.default_status for sensor in watching} == {on if is_on else off}


@pytest.mark.parametrize("is_required", [True, False])
@pytest.mark.parametrize("name", ["prod", "Production", "production "])
def test_an_unknown_environment_is_an_error_that_lists_the_known(name: str, is_required: bool):
    with pytest.raises(EnvironmentUnknown, match="development, staging, production"):
        environment(name, is_required)


@pytest.mark.parametrize("name", [None, ""])
def test_no_environment_is_an_error_where_something_runs_by_itself(name: str | None):
    with pytest.raises(EnvironmentUnknown, match="development, staging, production"):
        environment(name, is_required=True)
    assert environment(name, is_required=False) is None


def test_without_an_environment_nothing_runs_by_itself():
    assert schedules(None) == []
    assert sensors(None, contracts.load()) == []


def test_a_code_server_needs_an_environment_and_a_command_does_not():
    assert is_served(SERVER, {})
    assert not is_served(SERVER, {"DAGSTER_IS_DEV_CLI": "1"})
    assert not is_served(["/venv/bin/dagster", "job", "execute", "-j", "refresh"], {})
    assert not is_served(["orchestration/cli.py", "run"], {})
