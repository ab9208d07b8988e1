"""How many orders are still to come from a customer who is alive: the chance of each number.

Given alive at age T, the rate of a customer is gamma-distributed with R = r + x and A = alpha + T,
its dropout probability beta-distributed with a and B, where B = b + x in the BG/NBD and b + x + 1
in the MBG/NBD. From then on it is a new BG/NBD customer with these parameters (Fader, Hardie & Lee
2005). Times are in weeks.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import betainc, gammaln, xlogy

from estimation.fits import FloatArray


def order_count_probabilities(
    model: str,
    parameters: Mapping[str, float],
    frequency: ArrayLike,
    age: ArrayLike,
    horizon: ArrayLike,
    largest: int,
) -> FloatArray:
    """Return P(n orders in (T, T+t] | alive at T) for n = 0..largest, shape (rows, largest + 1).

    Fader, Hardie & Lee (2005), P(X(t) = n): alive through n orders and none more, or dropped out
    after the n-th. With NB the count of a customer who never drops out:

        B(a, B+n) / B(a, B) P(NB = n) + (n > 0) B(a+1, B+n-1) / B(a, B) P(NB >= n)
    """
    x, _, ratio = future(parameters, frequency, age, horizon)
    return count_probabilities(model, parameters, x[:, None], ratio[:, None], largest)


def count_probabilities(
    model: str, parameters: Mapping[str, float], x: FloatArray, ratio: FloatArray, largest: int
) -> FloatArray:
    """Return the same from x and horizon over alpha + T, both of shape (rows or 1, 1)."""
    shape = parameters["r"] + x
    n = np.arange(largest + 1, dtype=float)
    count = gammaln(shape + n) - gammaln(shape) - gammaln(n + 1)
    exactly = np.exp(count - shape * np.log1p(ratio) + xlogy(n, ratio / (1 + ratio)))
    if model == "nbd":
        return exactly
    a, b = parameters["a"], survivals(model, parameters, x)
    stays = np.exp(gammaln(b + n) - gammaln(b) + gammaln(a + b) - gammaln(a + b + n))
    leaves = np.zeros_like(exactly)
    reached = np.maximum(1 - np.cumsum(exactly, axis=1)[:, :-1], 0.0)
    leaves[:, 1:] = stays[:, :-1] * a / (a + b + n[:-1]) * reached
    return stays * exactly + leaves


def at_least(
    model: str, parameters: Mapping[str, float], x: FloatArray, ratio: FloatArray, n: FloatArray
) -> FloatArray:
    """Return P(n orders or more | alive): NB reaches n, and the customer survived n - 1 of them.

    Args:
        model: 'bgnbd', 'mbgnbd' or 'nbd'.
        parameters: r, alpha and, but for the NBD, a and b.
        x: repeat order days.
        ratio: horizon over alpha + T.
        n: counts >= 0; the three have shapes that broadcast.
    """
    positive = np.maximum(n, 1.0)
    reached = betainc(positive, parameters["r"] + x, ratio / (1 + ratio))
    if model != "nbd":
        a, b = parameters["a"], survivals(model, parameters, x)
        survived = gammaln(b + positive - 1) - gammaln(b)
        survived += gammaln(a + b) - gammaln(a + b + positive - 1)
        reached = reached * np.exp(survived)
    return np.where(n < 1, 1.0, reached)


def future(
    parameters: Mapping[str, float], frequency: ArrayLike, age: ArrayLike, horizon: ArrayLike
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return x, R = r + x and t / A = t / (alpha + T) of each row.

    Raises:
        ValueError: a frequency, age or horizon below zero.
    """
    x, old, weeks = np.broadcast_arrays(
        *(np.atleast_1d(np.asarray(column, float)) for column in (frequency, age, horizon))
    )
    if not (np.all(x >= 0) and np.all(old >= 0) and np.all((weeks >= 0) & (weeks < np.inf))):
        raise ValueError("wanted: frequency, age and horizon >= 0")
    return x, parameters["r"] + x, weeks / (parameters["alpha"] + old)


def survivals(model: str, parameters: Mapping[str, float], x: FloatArray) -> FloatArray:
    """Return B, the second parameter of a living customer's dropout probability."""
    if model not in ("bgnbd", "mbgnbd"):
        raise ValueError(f"unknown model {model!r}, wanted bgnbd, mbgnbd or nbd")
    return parameters["b"] + x + (model == "mbgnbd")
