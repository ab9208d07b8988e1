"""Logs and finished runs are kept for so many days, and those under way for as long as it takes."""

import os
from datetime import UTC, datetime, timedelta

import pytest
from dagster import DagsterInstance, DagsterRunStatus, job, op

from orchestration import logs
from orchestration.home import Home
from orchestration.pipeline import dagster_home

DAY = timedelta(days=1)


@op
def nothing() -> None:
    print("something to keep")


@job
def small() -> None:
    nothing()


@pytest.fixture
def place(tmp_path):
    place = Home(tmp_path / "home").prepare()
    (place.logs / "dbt").mkdir()
    return place


def log(place: Home, name: str, age: timedelta = timedelta()) -> None:
    path = place.logs / "dbt" / name
    path.write_text(f"what {name} held")
    then = (datetime.now(UTC) - age).timestamp()
    os.utime(path, (then, then))


def names(place: Home) -> list[str]:
    return sorted(path.name for path in (place.logs / "dbt").iterdir())


def test_the_log_of_an_earlier_day_is_put_aside_under_its_day(place):
    log(place, "dbt.log", 2 * DAY)
    log(place, "dbt.log.1", 3 * DAY)
    log(place, "console.log", 2 * DAY)
    today = datetime.now(UTC).date()
    logs.begin_day(place)
    expected = ["console.log", f"dbt-{today - 3 * DAY}.log.1", f"dbt-{today - 2 * DAY}.log"]
    assert names(place) == expected
    log(place, "dbt.log")
    logs.begin_day(place)
    assert names(place) == [*expected, "dbt.log"]


def test_what_is_older_than_the_setting_goes(place, monkeypatch):
    monkeypatch.setattr(logs, "days_kept", lambda: 30)
    now = datetime(2026, 6, 30, 12, tzinfo=UTC)
    for name in ("dbt-2026-05-30.log", "dbt-2026-05-31.log", "dbt-2026-05-30.log.2", "dbt.log"):
        log(place, name)
    log(place, "dbt-notes.log")
    with DagsterInstance.from_config(str(dagster_home(place))) as instance:
        assert logs.remove_old(place, instance, now) == 2
    assert names(place) == ["dbt-2026-05-31.log", "dbt-notes.log", "dbt.log"]


def test_finished_runs_go_with_all_that_is_kept_of_them(place, monkeypatch):
    monkeypatch.setattr(logs, "days_kept", lambda: 30)
    with DagsterInstance.from_config(str(dagster_home(place))) as instance:
        old = small.execute_in_process(instance=instance).run_id
        under_way = instance.create_run_for_job(small, status=DagsterRunStatus.STARTED).run_id
        of = [path for path in place.logs.rglob("*") if old in path.name]
        assert len(of) >= 2
        later = datetime.now(UTC) + 29 * DAY
        assert logs.remove_old(place, instance, later) == 0
        assert instance.has_run(old)
        assert logs.remove_old(place, instance, later + 2 * DAY) == 1
        assert not instance.has_run(old)
        assert instance.has_run(under_way)
    assert [path for path in place.logs.rglob("*") if old in path.name] == []


def test_the_setting_says_how_long():
    assert logs.days_kept() == 90
