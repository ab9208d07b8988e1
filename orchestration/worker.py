"""The process of one run of the daemon: waits for its turn, then lets Dagster execute the run."""

import os
import sys

from dagster import DagsterInstance
from dagster._cli.api import execute_run_command

from orchestration import logs
from orchestration.home import WriterBusy, home, writer_lock
from orchestration.launcher import RUN_VARIABLE
from orchestration.lean_dagster import histories_kept_open
from orchestration.pipeline import RUN_WAIT_SECONDS


def main() -> None:
    """Execute the run that the launcher has put into the environment.

    Between its steps no run of the command line may come, so it holds the lock of whole runs.
    """
    place = home().prepare()
    name = f"the daemon's run {os.environ[RUN_VARIABLE]}"
    try:
        with (
            writer_lock(place, name, wait_seconds=RUN_WAIT_SECONDS, name="run.lock"),
            histories_kept_open(),
            DagsterInstance.get() as instance,
        ):
            logs.begin_day(place)
            execute_run_command.main(args=[], standalone_mode=False)
            logs.remove_old(place, instance)
    except WriterBusy as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
