"""What dbt-duckdb loads of this project: its errors reach dbt's logs without values.

dbt logs an error's message as the engine gives it and keeps it in `run_results.json`, and Dagster
keeps it again. The hooks of a plugin get the connection only, so the wrapper that dbt-duckdb puts
around each cursor is replaced by one that cleans (`orchestration/error_values.py`).
"""

from collections.abc import Callable

import duckdb
from dbt.adapters.duckdb.environments import local
from dbt.adapters.duckdb.plugins import BasePlugin
from dbt_common.exceptions import DbtRuntimeError

from orchestration.error_values import cleaned, traced


class CleanCursor(local.DuckDBCursorWrapper):
    """A cursor whose errors quote no values; rows may be computed as late as they are fetched."""

    def __init__(self, cursor: duckdb.DuckDBPyConnection) -> None:
        """Wrap a cursor."""
        super().__init__(cursor)
        self._query = ""

    def execute(self, sql: str, bindings: object = None) -> object:
        """Run a statement."""
        self._query = sql
        return self._clean(super().execute, sql, bindings)

    def fetchone(self) -> object:
        """Return the next row."""
        return self._clean(self._cursor.fetchone)

    def fetchmany(self, *arguments: object) -> object:
        """Return some rows."""
        return self._clean(self._cursor.fetchmany, *arguments)

    def fetchall(self) -> object:
        """Return all rows."""
        return self._clean(self._cursor.fetchall)

    def _clean(self, call: Callable[..., object], *arguments: object) -> object:
        try:
            return call(*arguments)
        except duckdb.Error as error:
            found = cleaned(error, self._query)
        # Out of the block above, where it would carry the other one along.
        raise found


def run_python_job(*arguments: object) -> None:
    """Run a Python model; if it fails, say where and not by which values."""
    try:
        local.Environment.run_python_job(*arguments)
        return
    except DbtRuntimeError as error:
        # dbt-duckdb puts the whole chain of messages into its own.
        found = error.__context__ or error
    raise DbtRuntimeError(f"Python model failed:\n{traced(found)}")


class Plugin(BasePlugin):
    """Registered in profiles.yml; to be loaded is all that it has to do."""


def install() -> None:
    """Put the cleaning wrappers in the places that dbt-duckdb takes its own from."""
    local.DuckDBCursorWrapper = CleanCursor
    local.LocalEnvironment.run_python_job = staticmethod(run_python_job)


install()
