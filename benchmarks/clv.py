"""What the CLV models cost for many customers, whose order histories are drawn, not delivered.

A benchmark of its own, since a shop of so many customers would first have to be built. The
histories are those of a BG/NBD population with the parameters of the CDNOW data and of a
Gamma-Gamma one; the models run on them as dbt compiled them, in a process of their own and without
dbt's start.

As a program, so that it can be measured: build file, folder of compiled models, stage.
"""

import datetime
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import duckdb
import numpy as np
import pyarrow as pa

from benchmarks import by_hand
from benchmarks.results import kept
from orchestration.home import PROJECT

AS_OF = datetime.date(2026, 5, 31)
LONGEST_AGE_DAYS = 3 * 365
CUSTOMERS_AT_ONCE = 1_000_000

# Fader, Hardie & Lee (2005), weeks; Fader & Hardie (2013).
ORDERS = {"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426}
SPEND = {"p": 6.25, "q": 3.74, "v": 15.44}

# The models that each stage builds, in their order; the start is taken away from the others.
STAGES = {
    "start": (),
    "groups": ("int_clv__groups", "int_clv__spend_groups"),
    "fits": ("int_clv__fitted", "int_clv__models"),
    "scoring": ("int_clv__ages", "int_clv__expectations", "int_clv__scored"),
    "intervals": ("int_clv__multiples", "int_customers__clv"),
}
# Nobody writes a view, so it is measured by what it takes to compute all of it.
VIEWS = ("int_clv__scored",)
# Section 11 of the architecture, CPU seconds for so many customers.
BUDGETS = {(10_000_000, "groups and fits"): 3.0, (10_000_000, "scoring"): 6.0}
MODELS = [model for models in STAGES.values() for model in models]

# What the models read beside the histories, as one as-of has it; the settings are the project's.
AROUND = """
create table {schema}.int_as_of_dates as
select
    date '{as_of}' as as_of_date, true as is_newest, true as is_month_end,
    date '{as_of}' - 31 as previous_as_of_date;
create table {schema}.int_clv__fit_dates as
select
    date '{as_of}' as fit_date,
    (max(value) filter (where setting = 'clv_minimum_repeat_buyers'))::bigint
        as clv_minimum_repeat_buyers,
    (max(value) filter (where setting = 'clv_winsorised_share'))::double as clv_winsorised_share,
    (max(value) filter (where setting = 'clv_largest_groups'))::bigint as clv_largest_groups
from read_csv('{settings}', all_varchar = true);
create table {schema}.int_settings__by_as_of as
select
    date '{as_of}' as as_of_date,
    (max(value) filter (where setting = 'days_12m'))::int as days_12m,
    (max(value) filter (where setting = 'clv_yearly_discount'))::double as clv_yearly_discount,
    (max(value) filter (where setting = 'clv_interval_share'))::double as clv_interval_share,
    (max(value) filter (where setting = 'clv_minimum_p_alive'))::double as clv_minimum_p_alive,
    (max(value) filter (where setting = 'maximum_life_years'))::int as maximum_life_years
from read_csv('{settings}', all_varchar = true);
create table {schema}.int_clv__bases as
select date '{as_of}' as fit_date, 'shop' as source, 'revenue' as clv_basis;
create table {schema}.int_clv__choices (
    judged_on date, source varchar, winner varchar, is_worse_than_naive boolean
);
create table {schema}.int_customers__clv_formula as
select
    fit_date as as_of_date,
    true as is_newest,
    source,
    customer_id,
    mean_spend::decimal(18, 2) as clv_historic_revenue,
    null::decimal(18, 2) as clv_historic_margin,
    mean_spend::decimal(18, 2) as average_order_value,
    1.0::double as expected_years,
    'population' as churn_cohort,
    mean_spend::decimal(18, 2) as clv_formula
from {schema}.int_clv__histories;
"""


class StubDbt:
    """What a Python model asks of dbt: the relation of a name."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Answer from the tables of this connection."""
        self._connection = connection

    def ref(self, name: str) -> duckdb.DuckDBPyRelation:
        """Return a model's relation."""
        return self._connection.table(f"intermediate.{name}")


def draw(customers: int, generator: np.random.Generator) -> dict[str, np.ndarray]:
    """Return statistics of drawn customers, columns of (customers,).

    Acquired evenly over three years. With N orders of a Poisson process up to today and K survived
    chances to drop out, the K-th order is the last where K <= N; given N, order times are sorted
    uniforms, so the K-th is beta-distributed.
    """
    age = generator.integers(0, LONGEST_AGE_DAYS + 1, customers)
    rate = generator.gamma(ORDERS["r"], 1 / ORDERS["alpha"], customers)
    came = generator.poisson(rate * age / 7)
    dropout = np.maximum(generator.beta(ORDERS["a"], ORDERS["b"], customers), 1e-9)
    frequency = np.minimum(came, generator.geometric(dropout))
    bought = frequency > 0
    share = np.zeros(customers)
    share[bought] = generator.beta(frequency[bought], came[bought] - frequency[bought] + 1)
    recency = np.where(bought, np.minimum(np.ceil(share * age), age), 0).astype(np.int64)
    # Orders of one day are one.
    frequency = np.minimum(frequency, recency)
    bought = frequency > 0
    size = SPEND["p"] * np.maximum(frequency, 1)
    scale = SPEND["v"] / generator.gamma(SPEND["q"], 1, customers)
    spend = generator.gamma(size) * scale / np.maximum(frequency, 1)
    return {
        "frequency": frequency.astype(np.int64),
        "recency_days": recency.astype(np.int32),
        "age_days": age.astype(np.int32),
        "mean_spend": np.where(bought, spend, np.nan),
    }


def prepare(build_file: Path, customers: int) -> None:
    """Put the histories and what stands around them into a build file.

    Args:
        build_file: has no table of intermediate models yet.
        customers: how many are drawn; the same ones every time.
    """
    generator = np.random.default_rng(20260531)
    with duckdb.connect(str(build_file), config=by_hand.settings()) as connection:
        connection.execute("create schema if not exists intermediate")
        connection.execute(
            "create table intermediate.int_clv__histories (fit_date date, source varchar,"
            " customer_id varchar, frequency bigint, recency_days int, age_days int,"
            " clv_basis varchar, mean_spend double)"
        )
        for first in range(0, customers, CUSTOMERS_AT_ONCE):
            columns = draw(min(CUSTOMERS_AT_ONCE, customers - first), generator)
            drawn = pa.table({"number": np.arange(len(columns["age_days"])) + first} | columns)
            connection.register("drawn", drawn)
            connection.execute(
                f"""
                insert into intermediate.int_clv__histories
                select
                    date '{AS_OF}', 'shop', 'shop:C' || lpad(number::varchar, 8, '0'), frequency,
                    recency_days, age_days, 'revenue',
                    case when not isnan(mean_spend) then mean_spend end
                from drawn
                """
            )
            connection.unregister("drawn")
        settings = PROJECT / "seeds" / "settings.csv"
        connection.execute(AROUND.format(schema="intermediate", as_of=AS_OF, settings=settings))


def save_statistics(build_file: Path, path: Path) -> None:
    """Write frequency, recency and age in days of all histories as a numpy array (3, customers)."""
    with duckdb.connect(str(build_file), read_only=True) as connection:
        found = connection.execute(
            "select frequency, recency_days, age_days from intermediate.int_clv__histories"
        ).fetchnumpy()
    np.save(path, np.stack([column.astype(float) for column in found.values()]))


def run(build_file: Path, compiled: Path, stage: str) -> None:
    """Build the models of a stage, as dbt would.

    Args:
        build_file: as `prepare` left it, with the stages before.
        compiled: folder of compiled models, somewhere below it each SQL model of the stages.
        stage: one of STAGES.
    """
    config = {**by_hand.settings(), "temp_directory": str(build_file.with_suffix(".spill"))}
    with duckdb.connect(str(build_file), config=config) as connection:
        # Loaded in every stage, so that the start that is taken away has it too.
        python = {path.stem: _loaded(path) for path in (PROJECT / "models").rglob("int_clv__*.py")}
        for model in STAGES[stage]:
            if model in python:
                result = python[model].model(StubDbt(connection), connection)
                connection.register("result", result)
                query = "select * from result"
            else:
                (path,) = compiled.rglob(f"{model}.sql")
                query = path.read_text()
            if model in VIEWS:
                connection.execute(f"create view intermediate.{model} as {query}")
                connection.execute(f"select max(columns(*)) from intermediate.{model}").fetchall()
            else:
                connection.execute(f"create table intermediate.{model} as {query}")


def _loaded(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def verdict(customers: int, stage: str, cpu_seconds: float) -> str:
    """Return the budget of a stage and whether it keeps it; empty where there is none."""
    bound = BUDGETS.get((customers, stage))
    return f"<= {bound:g} CPU s: {kept(cpu_seconds <= bound)}" if bound else ""


def count(build_file: Path, model: str) -> int:
    """Return how many rows a model has."""
    with duckdb.connect(str(build_file), read_only=True) as connection:
        rows = connection.execute(f"select count(*) from intermediate.{model}").fetchall()
    return rows[0][0]


if __name__ == "__main__":
    run(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
