"""The likelihood of order histories and its slope, in the form that `orders` documents.

What is public about it is in `orders`; here it stands as fast as a fit needs it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import digamma, expit, gammaln

from estimation.fits import FloatArray

PARAMETERS = {
    "bgnbd": ("r", "alpha", "a", "b"),
    "mbgnbd": ("r", "alpha", "a", "b"),
    "nbd": ("r", "alpha"),
}


@dataclass(frozen=True)
class Statistics:
    """Checked rows; gamma functions are computed once per distinct frequency."""

    frequency: FloatArray
    recency: FloatArray
    age: FloatArray
    distinct: FloatArray
    position: np.ndarray


def statistics(frequency: ArrayLike, recency: ArrayLike, age: ArrayLike) -> Statistics:
    """Return the rows, with what their likelihood needs.

    Raises:
        ValueError: a negative frequency, or a recency outside 0..age.
    """
    x, t_x, t = np.broadcast_arrays(
        *(np.atleast_1d(np.asarray(column, float)) for column in (frequency, recency, age))
    )
    if not (np.all(x >= 0) and np.all(t_x >= 0) and np.all(t_x <= t) and np.all(t < np.inf)):
        raise ValueError("wanted: frequency >= 0 and 0 <= recency <= age, all finite")
    distinct, position = np.unique(x, return_inverse=True)
    return Statistics(x, t_x, t, distinct, position)


def names_of(model: str) -> tuple[str, ...]:
    """Return the names of a model's parameters.

    Raises:
        ValueError: there is no such model.
    """
    if model not in PARAMETERS:
        raise ValueError(f"unknown model {model!r}, wanted one of {', '.join(PARAMETERS)}")
    return PARAMETERS[model]


def vector(model: str, parameters: Mapping[str, float]) -> FloatArray:
    """Return the parameters of a model in the order of their names."""
    return np.array([parameters[name] for name in names_of(model)], float)


def value_and_alive(
    model: str, theta: FloatArray, rows: Statistics
) -> tuple[FloatArray, FloatArray]:
    """Return log-likelihood and P(alive) of each row; `theta` in the order of PARAMETERS."""
    r, alpha = theta[:2]
    x, n = rows.frequency, rows.distinct
    counts = gammaln(r + n) - gammaln(r)
    # r ln alpha - (r + x) ln(alpha + T), without the cancellation of two large terms
    alive = -r * np.log1p(rows.age / alpha) - x * np.log(alpha + rows.age)
    if model == "nbd":
        return counts[rows.position] + alive, np.ones_like(alive)
    a, b = theta[2:]
    k = n + (model == "mbgnbd")
    counts += gammaln(a + b) - gammaln(a + b + k) + gammaln(b + k) - gammaln(b)
    odds = np.full_like(n, -np.inf)  # of having dropped out, but for the silence since
    odds[k > 0] = np.log(a / (b + k[k > 0] - 1))
    silence = np.log1p((rows.age - rows.recency) / (alpha + rows.recency))
    dropped = odds[rows.position] + (r + x) * silence
    return counts[rows.position] + alive + np.logaddexp(0, dropped), expit(-dropped)


def gradient(model: str, theta: FloatArray, rows: Statistics, w: FloatArray) -> FloatArray:
    """Return the slope of each row's log-likelihood by each parameter; w is P(alive)."""
    r, alpha = theta[:2]
    x, n = rows.frequency, rows.distinct
    silence = np.log1p((rows.age - rows.recency) / (alpha + rows.recency))
    by_r = (digamma(r + n) - digamma(r))[rows.position]
    by_r += (1 - w) * silence - np.log1p(rows.age / alpha)
    rate = w / (alpha + rows.age) + (1 - w) / (alpha + rows.recency)
    by_alpha = r / alpha - (r + x) * rate
    if model == "nbd":
        return np.stack([by_r, by_alpha])
    a, b = theta[2:]
    k = n + (model == "mbgnbd")
    psi = digamma(a + b) - digamma(a + b + k)
    last = np.where(k > 0, b + k - 1, 1.0)  # without a chance to drop out w is 1
    by_a = psi[rows.position] + (1 - w) / a
    by_b = (psi + digamma(b + k) - digamma(b))[rows.position] - (1 - w) / last[rows.position]
    return np.stack([by_r, by_alpha, by_a, by_b])
