"""What Dagster does without need, left out: it took a third of the time of a small run.

Both rest on names inside Dagster. Where a later version has other ones, the work is done again and
nothing else changes.
"""

import contextlib
import sqlite3
from collections.abc import Iterator, Sequence
from functools import cached_property
from importlib import metadata

from dagster_dbt import DbtCliResource
from packaging import version
from sqlalchemy import event
from sqlalchemy.engine import Engine


class Dbt(DbtCliResource):
    """dbt's command line, without starting it for its version, and without an adapter of its own.

    Dagster would read columns and count rows through the adapter, which nobody asks it for.
    """

    @cached_property
    def _cli_version(self) -> version.Version:
        return version.parse(metadata.version("dbt-core"))

    def _initialize_dbt_core_adapter(self, args: Sequence[str]) -> None:
        """Return no adapter, which is what Dagster takes where there is none."""


@contextlib.contextmanager
def histories_kept_open() -> Iterator[None]:
    """Keep open the SQLite files that Dagster writes its history to, while it runs here.

    It connects anew for each of some thousand events, and whoever closes a file last brings its log
    in and waits for the disk, three times. One idle connection a file spares that. A commit does
    not wait for the disk either: a power cut may cost the last events, never the file.
    """
    idle: dict[str, sqlite3.Connection] = {}

    def keep_open(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute("pragma synchronous = normal")
        (_, _, path) = connection.execute("pragma database_list").fetchone()
        if path:
            if path not in idle:
                idle[path] = sqlite3.connect(path, check_same_thread=False)
            # Only whoever has read it holds it open.
            idle[path].execute("pragma schema_version").fetchone()

    event.listen(Engine, "connect", keep_open)
    try:
        yield
    finally:
        event.remove(Engine, "connect", keep_open)
        for connection in idle.values():
            connection.close()
