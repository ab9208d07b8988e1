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
COMPARED = ("customer_rfm", "customer_value", "customer_lifecycle")
# The mart of this name gathers every code of a customer, forecasts and clusters too. The core path
# ends at the models that work out the value, so their columns are compared.
VALUE = """
create view customer_value as
select
    as_of_date,
    customer_id,
    measures.net_revenue_12m,
    measures.orders_12m,
    measures.margin_12m,
    bands.margin_rate_12m,
    bands.spend_band,
    bands.frequency_band,
    bands.margin_band,
    bands.value_points::int as value_points,
    bands.value_tier,
    bands.has_conflicting_bands,
    abc_classes.abc_class,
    order_values.average_order_value_12m,
    order_values.order_value_group,
    measures.category_count_12m,
    formulas.* exclude (as_of_date, is_newest, source, customer_id)
from build.intermediate.int_customers__measures as measures
inner join build.intermediate.int_customers__order_value_groups as order_values
    using (as_of_date, customer_id)
inner join build.intermediate.int_customers__clv_formula as formulas
    using (as_of_date, customer_id)
left join build.intermediate.int_customers__value_bands as bands using (as_of_date, customer_id)
left join build.intermediate.int_customers__abc_classes as abc_classes
    using (as_of_date, customer_id)
where measures.is_newest
"""
ROUNDING_ERROR = 1e-9


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
        ResultsDiffer: columns differ, or a row of one side is not on the other.
    """
    with duckdb.connect(":memory:") as connection:
        connection.execute(f"attach '{build_file}' as build (read_only)")
        connection.execute(f"attach '{by_hand}' as hand (read_only)")
        connection.execute(VALUE)
        rows = 0
        for table in COMPARED:
            models = table if table == "customer_value" else f"build.customers.{table}"
            hand = f"hand.main.{table}"
            columns = _columns(connection, models)
            if columns != _columns(connection, hand):
                raise ResultsDiffer(f"{table}: the script's columns are not those of the models")
            same = " and ".join(_equal(name, type_) for name, type_ in columns.items())
            counted = connection.execute(
                f"select (select count(*) from {models}), (select count(*) from {hand}), "
                f"(select count(*) from {models} as models inner join {hand} as hand on {same})"
            ).fetchone()
            assert counted is not None
            rows, hand_rows, equal = counted
            if not rows == hand_rows == equal:
                raise ResultsDiffer(
                    f"{table}: the models have {rows} rows, the script {hand_rows}, "
                    f"and {equal} are equal"
                )
    return rows


def _columns(connection: duckdb.DuckDBPyConnection, table: str) -> dict[str, str]:
    """Return the type of each column, in the order of the table."""
    return {row[0]: row[1] for row in connection.execute(f"describe {table}").fetchall()}


def _equal(column: str, type_: str) -> str:
    """Return the condition that both sides have one value, doubles but for rounding errors."""
    if column == "customer_id":
        return "models.customer_id = hand.customer_id"
    if type_ == "DOUBLE":
        return (
            f"(abs(models.{column} - hand.{column}) <= {ROUNDING_ERROR} "
            f"or (models.{column} is null and hand.{column} is null))"
        )
    return f"models.{column} is not distinct from hand.{column}"


if __name__ == "__main__":
    run(*map(Path, sys.argv[1:5]))
