"""What calls of dbt are forked with (`tests/warm.py`), imported once."""

import gc
import importlib

for name in (
    "tests.warm",
    "dbt.cli.main",
    "dbt.task.build",
    "dbt.adapters.duckdb.impl",
    "orchestration.dbt_plugin",
    "estimation.clusters",
    "estimation.populations",
    "pandas",
):
    importlib.import_module(name)
gc.collect()
# What the collector touches, each fork would copy.
gc.freeze()
