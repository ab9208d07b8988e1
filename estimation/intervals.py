"""How much a living customer will spend: quantiles of the predictive distribution, no simulation.

The number N of orders follows `counts`. Given the customer's own rate of spend, n orders together
are gamma-distributed with shape p n; over what is known of that rate after x repeat order days of
mean z, Gamma(q + p x, v + x z), their sum is (v + x z) BetaPrime(p n, q + p x) (Fader & Hardie
2013). So the spend S over the horizon has

    P(S <= s (v + x z)) = P(N = 0) + sum_{n>=1} P(N = n) I_{s/(1+s)}(p n, q + p x)

with the regularised incomplete beta I. It is computed on a grid of s and inverted. Whoever is alive
with probability w only, spends nothing with 1 - w: the quantile at level u is then the one here at
(u - (1 - w)) / w, and 0 where that is negative.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import betainc, betaincinv

from estimation.counts import at_least, count_probabilities, future
from estimation.fits import FloatArray

BEYOND = 1e-6  # probability of more orders than are looked at
MOST_ORDERS = 10_000_000  # looked at, whatever the probability of more
EXACT_COUNTS = 64  # up to here each number of orders stands for itself
WIDE_CELLS = 192  # beyond it they are taken together, in cells of one width
POINTS = (48, 96, 160)  # of the grid of spend, each finer where the probability is
ROWS_AT_ONCE = 4096


def spend_quantiles(
    order_model: str,
    order_parameters: Mapping[str, float],
    spend_model: str,
    spend_parameters: Mapping[str, float],
    frequency: ArrayLike,
    age: ArrayLike,
    horizon: ArrayLike,
    levels: ArrayLike,
) -> FloatArray:
    """Return the quantiles of undiscounted spend given alive, shape (rows, levels).

    In multiples of v + x z for the Gamma-Gamma, so that one row serves all customers of equal
    frequency and age; in multiples of the mean for 'mean_spend', where they are numbers of orders.

    Args:
        order_model: 'bgnbd', 'mbgnbd' or 'nbd'.
        order_parameters: its parameters.
        spend_model: 'gamma_gamma' or 'mean_spend'.
        spend_parameters: p, q and v, or mean.
        frequency: repeat order days x, shape (rows,).
        age: weeks since the first order T, shape (rows,).
        horizon: weeks, shape (rows,) or one for all.
        levels: ascending probabilities in (0, 1), shape (levels,).

    Raises:
        ValueError: an unknown model, or levels outside (0, 1).
    """
    x, _, ratio = future(order_parameters, frequency, age, horizon)
    level = np.atleast_1d(np.asarray(levels, float))
    if not np.all((level > 0) & (level < 1)):
        raise ValueError("wanted: levels in (0, 1)")
    if spend_model not in ("gamma_gamma", "mean_spend"):
        raise ValueError(f"unknown model {spend_model!r}, wanted gamma_gamma or mean_spend")
    quantiles = np.zeros((x.size, level.size))
    for count in np.unique(x):
        alike = np.flatnonzero(x == count)
        # Rows of like pace together: they share the numbers of orders and the grid of spend.
        alike = alike[np.argsort(ratio[alike], kind="stable")]
        for first in range(0, alike.size, ROWS_AT_ONCE):
            rows = alike[first : first + ROWS_AT_ONCE]
            orders = (order_model, order_parameters, count, ratio[rows])
            if spend_model == "mean_spend":
                quantiles[rows] = _count_quantiles(*orders, level)
            else:
                size, rest = spend_parameters["p"], spend_parameters["q"]
                rest += size * count
                quantiles[rows] = _sum_quantiles(*_cells(*orders), size, rest, level)
    return quantiles


def _reached(
    model: str, parameters: Mapping[str, float], x: float, ratio: FloatArray, n: FloatArray
) -> FloatArray:
    """Return P(n orders or more), shape (rows, n) where `n` is (n,) and as `n` where it is 2-D."""
    return at_least(model, parameters, np.array(x), ratio[:, None], n)


def _largest_count(model: str, parameters: Mapping[str, float], x: float, ratio: FloatArray) -> int:
    """Return a number that the orders of a row exceed with BEYOND at most, within a few percent."""

    def enough(n: int) -> bool:
        return bool(np.all(_reached(model, parameters, x, ratio, np.array([n + 1.0])) <= BEYOND))

    high = 1
    while high < MOST_ORDERS and not enough(high):
        high *= 2
    low = high // 2
    while high - low > max(1, high // 50):
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return min(high, MOST_ORDERS)


def _cells(
    model: str, parameters: Mapping[str, float], x: float, ratio: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return numbers of orders (cells,), 0 first, and the probability of each (rows, cells).

    Each number up to EXACT_COUNTS is a cell; more are taken in cells of one width, each at its
    middle. A cell is at most 0.5% of the largest number, and its probability is exact, as
    P(N >= n) has a closed form. That resolves the spread of a wholesaler of 20,000 orders; of one
    of a million it does not, and his quantiles are good to half a cell, 0.3%.
    """
    largest = _largest_count(model, parameters, x, ratio)
    width = max(1, -(-(largest - EXACT_COUNTS) // WIDE_CELLS))
    if width == 1:
        exact = count_probabilities(model, parameters, np.array([[x]]), ratio[:, None], largest)
        return np.arange(largest + 1.0), exact
    edges = np.concatenate(
        [np.arange(EXACT_COUNTS + 1), np.arange(EXACT_COUNTS + 1, largest + 1, width)]
    ).astype(float)
    upper = np.append(edges[1:], largest + 1)
    reached = _reached(model, parameters, x, ratio, edges)
    probability = reached - np.append(reached[:, 1:], np.zeros((ratio.size, 1)), axis=1)
    return (edges + upper - 1) / 2, np.maximum(probability, 0.0)


def _sum_quantiles(
    counts: FloatArray, probability: FloatArray, size: float, rest: float, level: FloatArray
) -> FloatArray:
    """Invert the distribution of s on a grid; rows share the grid, and pay for it once."""
    none, some = probability[:, 0], probability[:, 1:]
    quantiles = np.zeros((none.size, level.size))
    if not counts[1:].size:
        return quantiles
    shapes = size * counts[1:]
    least = betaincinv(shapes[0], rest, 1e-6)
    most = betaincinv(rest, shapes[-1], BEYOND)  # of 1 / (1 + s), which keeps its digits
    ends = np.log([max(least / (1 - least), 1e-200), 1 / max(most, 1e-15)])

    def below(log_s: FloatArray) -> FloatArray:
        return betainc(shapes[:, None], rest, 1 / (1 + np.exp(-log_s)))

    # Half of the points even in the logarithm, half where the rows have their probability; twice,
    # as the spend of a wholesaler lies within a step of the first grid.
    grid = np.linspace(*ends, POINTS[0])
    for points in POINTS[1:]:
        mass = np.maximum.accumulate(some.mean(axis=0) @ below(grid))
        even = (grid - grid[0]) / (grid[-1] - grid[0])
        place = even + (mass - mass[0]) / max(mass[-1] - mass[0], 1e-300)
        grid = np.interp(np.linspace(0, place[-1], points), place, grid)
    reached = none[:, None] + some @ below(grid)
    reached = np.maximum.accumulate(reached, axis=1)
    for row, curve in enumerate(reached):
        quantiles[row] = np.exp(np.interp(level, curve, grid))
    quantiles[level <= none[:, None]] = 0
    return quantiles


def _count_quantiles(
    model: str, parameters: Mapping[str, float], x: float, ratio: FloatArray, level: FloatArray
) -> FloatArray:
    """Return the smallest n with P(N <= n) >= level, by bisection, shape (rows, levels)."""
    high = np.full((ratio.size, level.size), float(_largest_count(model, parameters, x, ratio)))
    low = np.full_like(high, -1)
    while np.any(high - low > 1):
        middle = np.floor((low + high) / 2)
        enough = 1 - _reached(model, parameters, x, ratio, middle + 1) >= level
        high, low = np.where(enough, middle, high), np.where(enough, low, middle)
    return high
