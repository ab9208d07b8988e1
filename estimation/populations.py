"""What the thin dbt models ask for: fits, forecasts and backtests of one population at a time.

A population is the customers of one source as known on one day. Columns are numpy arrays by name, in
an order that does not change from run to run, so that sums come out alike to the last bit. Results
are rows, ready to be put into a table.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from estimation import backtests, grouping, intervals, orders, spend
from estimation.fits import CONVERGED, Fit, FloatArray

Columns = Mapping[str, np.ndarray]
Row = dict[str, Any]

ORDER_MODELS = ("bgnbd", "mbgnbd")
SPEND_MODEL = "gamma_gamma"
# Beyond the largest level that an interval asks for: see the range of the setting clv_interval_share.
LEVELS = np.array([*np.arange(37) * 0.025, 0.95, 0.975])


@dataclass(frozen=True)
class Chosen:
    """A fitted model as its rows tell it.

    Attributes:
        model: what was fitted in the end, such as 'nbd' where 'bgnbd' was asked for.
        parameters: by name.
    """

    model: str
    parameters: dict[str, float]


def split(table: pa.Table, keys: Sequence[str]) -> Iterator[tuple[tuple[Any, ...], Columns]]:
    """Yield (key, columns) of each stretch of rows with an equal key, in the table's order.

    Args:
        table: rows, sorted by the keys first.
        keys: names of the columns that make up the key; the others are the columns.
    """
    if not table.num_rows:
        return
    labels = [table.column(key).to_numpy() for key in keys]
    changes = np.zeros(table.num_rows, bool)
    changes[0] = True
    for label in labels:
        changes[1:] |= label[1:] != label[:-1]
    starts = np.flatnonzero(changes)
    columns = {
        name: table.column(name).to_numpy() for name in table.column_names if name not in keys
    }
    for start, end in zip(starts, [*starts[1:], table.num_rows], strict=True):
        yield (
            tuple(table.column(key)[int(start)].as_py() for key in keys),
            {name: values[start:end] for name, values in columns.items()},
        )


def fit_orders(
    groups: Columns, minimum_repeat_buyers: int, winsorised_share: float, largest_groups: int
) -> list[Row]:
    """Fit every model of orders to the groups of a population, a row for each parameter.

    Args:
        groups: frequency, recency_days, age_days and customers, each (groups,).
        minimum_repeat_buyers: with fewer nothing is fitted.
        winsorised_share: frequencies above this quantile count as the quantile.
        largest_groups: beyond it days are rounded to weeks.
    """
    capped, capped_customers = grouping.winsorise(
        groups["frequency"], groups["customers"], winsorised_share
    )
    grouped = grouping.group_by_week_where_many(
        capped, groups["recency_days"], groups["age_days"], groups["customers"], largest_groups
    )
    rows = []
    for model in ORDER_MODELS:
        found = orders.fit(model, *grouped, minimum_repeat_buyers=minimum_repeat_buyers)
        rows += _parameter_rows(model, found, {"capped_customers": capped_customers})
    return rows


def fit_spend(groups: Columns, minimum_repeat_buyers: int) -> list[Row]:
    """Fit the model of what an order day is worth, a row for each parameter.

    Args:
        groups: frequency, log_step (100 x the logarithm of the mean spend, rounded) and customers,
            each (groups,).
        minimum_repeat_buyers: with fewer the mean stands in for the model.
    """
    mean_spend = np.exp(groups["log_step"] / 100)
    columns = (groups["frequency"], mean_spend, groups["customers"])
    found = spend.fit_spend(*columns, minimum_repeat_buyers=minimum_repeat_buyers)
    correlation = spend.correlation(*columns)["pearson"]
    return _parameter_rows(SPEND_MODEL, found, {"spend_correlation": correlation})


def _parameter_rows(asked_model: str, found: Fit, also: Row) -> list[Row]:
    common = {
        "asked_model": asked_model,
        "model": found.model,
        "log_likelihood": found.log_likelihood if np.isfinite(found.log_likelihood) else None,
        "customers": found.customers,
        "groups": found.groups,
        "status": found.status,
        "reason": found.reason,
        **also,
    }
    parameters = found.parameters or {None: None}
    return [{**common, "parameter": name, "value": value} for name, value in parameters.items()]


def read_fits(table: pa.Table) -> dict[tuple[Any, ...], dict[str, Chosen]]:
    """Return what converged, by (fit date, source) and the model that was asked for.

    Args:
        table: rows of `fit_orders` and `fit_spend` with fit_date and source.
    """
    found: dict[tuple[Any, ...], dict[str, Chosen]] = {}
    for row in table.to_pylist():
        if row["status"] == CONVERGED and row["parameter"] is not None:
            models = found.setdefault((row["fit_date"], row["source"]), {})
            chosen = models.setdefault(row["asked_model"], Chosen(row["model"], {}))
            chosen.parameters[row["parameter"]] = row["value"]
    return found


def expectations(population: Columns) -> Row:
    """Return what is expected of whoever is still a customer, columns of (rows,).

    Args:
        population: frequency and age_days (rows,); the model, its parameters, horizon_days and
            yearly_discount, the same in every row.
    """
    chosen = _order_model(population)
    weeks = (
        population["frequency"],
        population["age_days"] / 7,
        float(population["horizon_days"][0]) / 7,
    )
    return {
        "frequency": population["frequency"],
        "age_days": population["age_days"],
        "orders_if_alive": orders.orders_if_alive(chosen.model, chosen.parameters, *weeks),
        "discounted_orders_if_alive": orders.discounted_orders_if_alive(
            chosen.model,
            chosen.parameters,
            *weeks,
            yearly_discount=float(population["yearly_discount"][0]),
        ),
    }


def multiples(population: Columns) -> Row:
    """Return what whoever is still a customer spends at each level, columns of (rows x levels,).

    Multiples of v + x z for Gamma-Gamma, of the mean for mean_spend, without discount; between two
    levels to be read off a straight line.

    Args:
        population: as in `expectations`, with age_weeks.
    """
    order_model = _order_model(population)
    name = str(population["spend_model"][0])
    parameters = {"mean": float(population["mean_spend"][0])}
    if name == SPEND_MODEL:
        parameters = {letter: float(population[letter][0]) for letter in "pqv"}
    found = intervals.spend_quantiles(
        order_model.model,
        order_model.parameters,
        name,
        parameters,
        population["frequency"],
        population["age_weeks"],
        float(population["horizon_days"][0]) / 7,
        LEVELS,
    )
    steps = len(LEVELS) - 1
    rows = len(population["frequency"])
    return {
        "frequency": np.repeat(population["frequency"], steps),
        "age_weeks": np.repeat(population["age_weeks"], steps),
        "level_from": np.tile(LEVELS[:-1], rows),
        "level_to": np.tile(LEVELS[1:], rows),
        "multiple_from": found[:, :-1].ravel(),
        "slope": (np.diff(found, axis=1) / np.diff(LEVELS)).ravel(),
    }


def _order_model(population: Columns) -> Chosen:
    model = str(population["order_model"][0])
    names = orders.PARAMETERS[model]
    return Chosen(model, {name: float(population[name][0]) for name in names})


def table(keys: Sequence[str], key: Sequence[Any], columns: Row, schema: pa.Schema) -> pa.Table:
    """Return columns of one population as a typed table, its key before them."""
    rows = len(next(iter(columns.values())))
    every = {name: [value] * rows for name, value in zip(keys, key, strict=True)} | columns
    return pa.table({field.name: pa.array(every[field.name], field.type) for field in schema}, schema)
