"""What the thin dbt models ask for: fits, forecasts and backtests of one population at a time.

A population is the customers of one source as known on one day. Columns are numpy arrays by name,
in an order that does not change from run to run, so that sums come out alike to the last bit.
Results are rows, ready to be put into a table.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import compute

from estimation import backtests, grouping, intervals, likelihoods, orders, spend
from estimation.fits import CONVERGED, Fit, FloatArray

Columns = Mapping[str, np.ndarray]
Row = dict[str, Any]

ORDER_MODELS = ("bgnbd", "mbgnbd")
SPEND_MODEL = "gamma_gamma"
NO_PARAMETER = "none"
# Levels of equal steps, so that a lookup computes its step; they go beyond the largest level that
# an interval asks for, see the range of clv_interval_share. int_customers__clv counts in them too.
STEPS_OF_LEVEL = 40
LEVELS = np.arange(STEPS_OF_LEVEL) / STEPS_OF_LEVEL


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
    changes = np.ones(table.num_rows, bool)
    # Compared by Arrow: numpy has no type for its dates and text but Python's objects.
    differ = [
        compute.not_equal(column[1:], column[:-1]).to_numpy(zero_copy_only=False)
        for column in (table.column(key).combine_chunks() for key in keys)
    ]
    changes[1:] = np.any(differ, axis=0)
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
    parameters = found.parameters or {NO_PARAMETER: None}
    return [{**common, "parameter": name, "value": value} for name, value in parameters.items()]


def read_fits(table: pa.Table) -> dict[tuple[Any, ...], dict[str, Chosen]]:
    """Return what converged, by (fit date, source) and the model that was asked for.

    Args:
        table: rows of `fit_orders` and `fit_spend` with fit_date and source.
    """
    found: dict[tuple[Any, ...], dict[str, Chosen]] = {}
    for row in table.to_pylist():
        if row["status"] == CONVERGED and row["parameter"] != NO_PARAMETER:
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

    Multiples of v + x z for Gamma-Gamma, of the mean for mean_spend, without discount; within a
    step of levels to be read off a straight line.

    Args:
        population: as in `expectations`, with age_weeks.
    """
    order_model = _order_model(population)
    name = str(population["spend_model"][0])
    parameters = {"mean": float(population["mean_spend"][0])}
    if name == SPEND_MODEL:
        parameters = {letter: float(population[letter][0]) for letter in "pqv"}
    found = _quantiles(
        order_model,
        Chosen(name, parameters),
        population["frequency"],
        population["age_weeks"],
        float(population["horizon_days"][0]) / 7,
    )
    steps = len(LEVELS) - 1
    rows = len(population["frequency"])
    return {
        "frequency": np.repeat(population["frequency"], steps),
        "age_weeks": np.repeat(population["age_weeks"], steps),
        "level_step": np.tile(np.arange(steps), rows),
        "multiple": found[:, :-1].ravel(),
        "gain": np.diff(found, axis=1).ravel(),
    }


def _order_model(population: Columns) -> Chosen:
    model = str(population["order_model"][0])
    names = likelihoods.PARAMETERS[model]
    return Chosen(model, {name: float(population[name][0]) for name in names})


def table(keys: Sequence[str], key: Sequence[Any], columns: Row, schema: pa.Schema) -> pa.Table:
    """Return columns of one population as a typed table, its key before them."""
    rows = len(next(iter(columns.values())))
    every = {name: [value] * rows for name, value in zip(keys, key, strict=True)} | columns
    return pa.table(
        {field.name: pa.array(every[field.name], field.type) for field in schema}, schema
    )


def backtest(
    population: Columns,
    fits: Mapping[str, Chosen],
    horizon_days: int,
    interval_share: float,
    in_full: bool,
) -> list[Row]:
    """Hold the forecasts of one origin against what came.

    Orders for each model that converged and for three baselines; where spend was fitted too, what
    the orders brought, and whether it lay in the interval. Not in full, only what the choice of
    the model asks for: error and ratio in all.

    Args:
        population: frequency, recency_days, age_days, mean_spend at the origin; order_days and
            spend of the horizon; last_year_order_days; each (customers,).
        fits: what converged at the origin, by the model that was asked for.
        horizon_days: how long the horizon is.
        interval_share: share of customers whose spend the interval should hold.
        in_full: whether to take every measure.
    """
    weeks = horizon_days / 7
    frequency, age = population["frequency"], population["age_days"] / 7
    naive = backtests.naive_rate(frequency, age, weeks)
    forecasts = {
        name: orders.expected_orders(
            fits[name].model,
            fits[name].parameters,
            frequency,
            population["recency_days"] / 7,
            age,
            weeks,
        )
        for name in ORDER_MODELS
        if name in fits
    }
    forecasts |= {
        "naive_rate": naive,
        "last_year": population["last_year_order_days"].astype(float),
        "mean": backtests.mean_rate(frequency, age, weeks),
    }
    rows = []
    for name, told in forecasts.items():
        came = population["order_days"]
        found = [
            backtests.Measured("aggregate_ratio", "all", backtests.aggregate_ratio(came, told)),
            backtests.Measured("mae", "all", backtests.mae(came, told)),
        ]
        if in_full:
            found = backtests.accuracy(came, told, frequency)
        if in_full and SPEND_MODEL in fits:
            worth = _order_values(population, fits[SPEND_MODEL], name)
            spent = population["spend"]
            found += [
                backtests.Measured(
                    "spend_aggregate_ratio", "all", backtests.aggregate_ratio(spent, told * worth)
                ),
                backtests.Measured("spend_mae", "all", backtests.mae(spent, told * worth)),
                backtests.Measured(
                    "spend_spearman", "all", backtests.spearman(spent, told * worth)
                ),
            ]
            if name in fits:
                lower, upper = _interval(
                    population, fits[name], fits[SPEND_MODEL], weeks, interval_share
                )
                found += backtests.coverage(spent, lower, upper, frequency, told * worth)
        rows += [
            {"model": name, "measure": one.measure, "bucket": one.bucket, "value": one.value}
            for one in found
        ]
    return rows


def _order_values(population: Columns, chosen: Chosen, forecast: str) -> FloatArray:
    """Return what an order day of each customer is worth; baselines take its own mean, if any."""
    frequency, mean_spend = population["frequency"], population["mean_spend"]
    expected = spend.expected_spend(chosen.parameters, frequency, mean_spend)
    if forecast in ORDER_MODELS:
        return expected
    everybody = spend.expected_spend(chosen.parameters, [0], [0])[0]
    return np.where(mean_spend > 0, mean_spend, everybody)


def _interval(
    population: Columns,
    order_model: Chosen,
    spend_model: Chosen,
    weeks: float,
    interval_share: float,
) -> tuple[FloatArray, FloatArray]:
    """Return the ends of the interval of spend, as customer_clv has them, without discount."""
    frequency = population["frequency"]
    alive = orders.p_alive(
        order_model.model,
        order_model.parameters,
        frequency,
        population["recency_days"] / 7,
        population["age_days"] / 7,
    )
    age_weeks = np.rint(population["age_days"] / 7)
    pairs, pair = np.unique(np.stack([frequency, age_weeks]), axis=1, return_inverse=True)
    quantiles = _quantiles(order_model, spend_model, pairs[0], pairs[1], weeks)[pair.ravel()]
    scale = spend_scale(spend_model, frequency, population["mean_spend"])
    ends = []
    for level in ((1 - interval_share) / 2, (1 + interval_share) / 2):
        among_living = 1 - (1 - level) / alive
        place = np.maximum(among_living, 0) * STEPS_OF_LEVEL
        step = np.minimum(place.astype(int), len(LEVELS) - 2)
        rows = np.arange(len(frequency))
        share = place - step
        value = quantiles[rows, step] * (1 - share) + quantiles[rows, step + 1] * share
        ends.append(np.where(among_living > 0, value * scale, 0.0))
    return ends[0], ends[1]


def _quantiles(
    order_model: Chosen,
    spend_model: Chosen,
    frequency: np.ndarray,
    age_weeks: np.ndarray,
    weeks: float,
) -> FloatArray:
    found = intervals.spend_quantiles(
        order_model.model,
        order_model.parameters,
        spend_model.model,
        spend_model.parameters,
        frequency,
        age_weeks,
        weeks,
        LEVELS[1:],
    )
    # At level 0 nothing is spent.
    return np.hstack([np.zeros((len(found), 1)), found])


def spend_scale(chosen: Chosen, frequency: np.ndarray, mean_spend: np.ndarray) -> FloatArray:
    """Return what the multiples of spend are multiples of: v + x z, or the mean, (customers,)."""
    if chosen.model != SPEND_MODEL:
        return np.full(len(frequency), chosen.parameters["mean"])
    return chosen.parameters["v"] + frequency * mean_spend
