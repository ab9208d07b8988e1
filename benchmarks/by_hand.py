"""Runs `by_hand.sql` on a build file's raw tables; compares its tables with the models'.

As a program, so that it can be measured: build file, file of results, project, script.
"""

import re
import sys
from pathlib import Path

import duckdb
import yaml

from orchestration.home import PROJECT

SCRIPT = Path(__file__).with_name("by_hand.sql")
FACTS = Path(__file__).with_name("by_hand_facts.sql")
SHARED_SETTINGS = ("memory_limit", "disabled_compression_methods")
COMPARED = ("customer_rfm", "customer_value")


class ResultsDiffer(Exception):
    """The script by hand and the models disagree: no ratio of the two means anything."""


def settings(project: Path = PROJECT) -> dict[str, str]:
    """Return the threads, memory and compression that dbt gives DuckDB, for the script too."""
    target = yaml.safe_load((project / "profiles.yml").read_text())["segments"]["outputs"]["duckdb"]
    given = {name: _rendered(str(target["settings"][name])) for name in SHARED_SETTINGS}
    return {"threads": str(target["threads"]), **given}


def _rendered(value: str) -> str:
    """Return a profile's value; of `env_var('NAME', 'value')` the value."""
    found = re.search(r"env_var\([^,]+,\s*['\"]([^'\"]+)['\"]\s*\)", value)
    return found[1] if found else value


def run(build_file: Path, out: Path, project: Path, script: Path) -> None:
    """Run a script: tables of `build_file` in, results into the new file `out`."""
    out.unlink(missing_ok=True)
    config = {
        **settings(project),
        "temp_directory": str(out.with_suffix(".spill")),
        # The scripts order nothing that their tables would have to keep.
        "preserve_insertion_order": "false",
    }
    with duckdb.connect(str(out), config=config) as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute(f"attach '{build_file}' as build (read_only)")
        connection.execute(script.read_text())


def compare(build_file: Path, by_hand: Path) -> int:
    """Compare both sides row by row and return the number of customers.

    Raises:
        ResultsDiffer: a row of one side is not on the other.
    """
    with duckdb.connect(":memory:") as connection:
        connection.execute(f"attach '{build_file}' as build (read_only)")
        connection.execute(f"attach '{by_hand}' as hand (read_only)")
        rows = 0
        for table in COMPARED:
            models, hand = f"from build.customers.{table}", f"from hand.main.{table}"
            counted = connection.execute(
                f"select (select count(*) {models}), "
                f"(select count(*) from ({models} except all {hand})), "
                f"(select count(*) from ({hand} except all {models}))"
            ).fetchone()
            assert counted is not None
            rows, only_models, only_hand = counted
            if only_models or only_hand:
                raise ResultsDiffer(
                    f"{table}: {only_models} of {rows} rows of the models are not in the script's "
                    f"result, {only_hand} of the script's not in theirs"
                )
    return rows


if __name__ == "__main__":
    run(*map(Path, sys.argv[1:5]))
