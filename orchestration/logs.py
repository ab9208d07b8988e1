"""How long logs are kept: those of dbt, and the runs that Dagster remembers.

The setting `log_days_kept` says how long. What is removed here is told nowhere else again, but the
published versions and the ledger of deliveries do not rest on it.
"""

import re
import shutil
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from orchestration.home import Home
from orchestration.settings import setting

if TYPE_CHECKING:
    from dagster import DagsterInstance

# dbt's own name for the log, and what it makes of one that grows too large.
CURRENT = re.compile(r"dbt\.log(\.\d+)?")
EARLIER = re.compile(r"dbt-(\d{4}-\d{2}-\d{2})\.log(\.\d+)?")


def days_kept() -> int:
    """Return for how many days logs are kept."""
    return int(setting("log_days_kept"))


def begin_day(place: Home, today: date | None = None) -> None:
    """Put the log of earlier days aside under the day of its last line. Call it before dbt runs."""
    now = today or datetime.now(UTC).date()
    for path in _logs(place, CURRENT):
        written = datetime.fromtimestamp(path.stat().st_mtime, UTC).date()
        if written < now:
            path.replace(path.with_name(path.name.replace("dbt", f"dbt-{written}", 1)))


def remove_old(place: Home, instance: "DagsterInstance", now: datetime | None = None) -> int:
    """Remove logs and finished runs older than `log_days_kept` days; return how many there were.

    Args:
        place: the home.
        instance: Dagster's, of the home.
        now: the time from which the days count back, by default the clock's.
    """
    from dagster import RunsFilter
    from dagster._core.storage.dagster_run import FINISHED_STATUSES

    oldest = (now or datetime.now(UTC)) - timedelta(days=days_kept())
    removed = 0
    for path in _logs(place, EARLIER):
        if date.fromisoformat(EARLIER.fullmatch(path.name)[1]) < oldest.date():
            path.unlink()
            removed += 1
    dagster = place.logs / "dagster"
    old = RunsFilter(statuses=list(FINISHED_STATUSES), updated_before=oldest)
    for record in instance.get_run_records(old):
        run_id = record.dagster_run.run_id
        instance.delete_run(run_id)
        # Its file is emptied and left, and what the steps printed is not touched.
        for path in (dagster / "history" / "runs").glob(f"{run_id}.db*"):
            path.unlink()
        shutil.rmtree(dagster / "storage" / run_id, ignore_errors=True)
        removed += 1
    return removed


def _logs(place: Home, names: re.Pattern[str]) -> list[Path]:
    folder = place.logs / "dbt"
    found = folder.iterdir() if folder.is_dir() else ()
    return sorted(path for path in found if names.fullmatch(path.name))
