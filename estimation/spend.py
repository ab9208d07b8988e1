"""What an order is worth: the Gamma-Gamma model of mean spend, and a plain mean to fall back on.

An order of a customer is gamma-distributed with shape p and a rate of the customer's own, and that
rate over customers with shape q and rate v. Spend is taken to be independent of frequency: how far
that holds is what `correlation` reports.

References:
    Fader, Hardie & Lee (2005), RFM and CLV: Using Iso-Value Curves for Customer Base Analysis,
    Journal of Marketing Research 42(4).
    Fader & Hardie (2013), The Gamma-Gamma Model of Monetary Value, brucehardie.com/notes/025.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import digamma, gammaln

from estimation.correlation import weighted_correlation, weighted_ranks
from estimation.fits import (
    CONVERGED,
    MINIMUM_REPEAT_BUYERS,
    Fit,
    FloatArray,
    maximise,
    no_fit,
)

BOUNDS = {"p": (1e-3, 1e5), "q": (1e-3, 1e5), "v": (1e-5, 1e5)}  # v in mean spends
STARTS = ((5.0, 4.0, 1.0), (1.0, 2.0, 1.0), (20.0, 2.0, 0.1))


def log_likelihood(
    parameters: Mapping[str, float], repeat_days: ArrayLike, mean_spend: ArrayLike
) -> FloatArray:
    """Return the log-likelihood of each row, shape (rows,), of mean spend z over x order days.

    ln G(px+q) - ln G(px) - ln G(q) + q ln v + (px-1) ln z + px ln x - (px+q) ln(v + x z).

    Raises:
        ValueError: an x or z that is not positive.
    """
    x, z = _positive(repeat_days, mean_spend)
    return _value(_vector(parameters), x, z)


def log_likelihood_gradient(
    parameters: Mapping[str, float], repeat_days: ArrayLike, mean_spend: ArrayLike
) -> FloatArray:
    """Return the derivatives of each row's log-likelihood by p, q and v, shape (3, rows)."""
    x, z = _positive(repeat_days, mean_spend)
    return _gradient(_vector(parameters), x, z)


def fit_gamma_gamma(
    repeat_days: ArrayLike,
    mean_spend: ArrayLike,
    weight: ArrayLike | None = None,
    minimum_repeat_buyers: int = MINIMUM_REPEAT_BUYERS,
) -> Fit:
    """Return the Gamma-Gamma fitted to the rows, or the reason why there is none.

    Rows without a repeat order or with a mean spend of zero or less are left out, and counted in
    the reason. Look at `is_usable`: a model that converged with q <= 1 has no mean.

    Args:
        repeat_days: order days that the mean is of, shape (groups,).
        mean_spend: mean spend of these days, any currency, shape (groups,).
        weight: customers per group, shape (groups,); one each where left out.
        minimum_repeat_buyers: customers below which nothing is fitted.
    """
    x, z, weights, left_out = _usable(repeat_days, mean_spend, weight)
    customers, groups = float(weights.sum()), weights.size
    if customers < max(minimum_repeat_buyers, 1):
        reason = (
            f"{customers:.0f} repeat buyers with positive spend, {minimum_repeat_buyers} wanted"
        )
        return no_fit("gamma_gamma", customers, groups, reason)
    if np.ptp(z) <= 1e-12 * z.max():
        return no_fit("gamma_gamma", customers, groups, "all customers spend alike")
    unit = float(np.exp(weights @ np.log(z) / customers))  # the bounds hold in any currency

    def objective(theta: FloatArray) -> tuple[float, FloatArray]:
        value = float(weights @ _value(theta, x, z / unit))
        return value, _gradient(theta, x, z / unit) @ weights

    found = maximise("gamma_gamma", objective, BOUNDS, STARTS, customers, groups)
    parameters = {**found.parameters, "v": found.parameters["v"] * unit}
    reasons = [found.reason] if found.reason else []
    if found.status == CONVERGED and parameters["q"] <= 1:
        reasons.append("q <= 1: there is no mean")
    if left_out:
        reasons.append(f"{left_out:.0f} customers without positive spend left out")
    changed = {
        "parameters": parameters,
        "log_likelihood": float(found.log_likelihood - customers * np.log(unit)),
        "reason": "; ".join(reasons),
    }
    return Fit(**{**found.__dict__, **changed})


def fit_mean_spend(
    repeat_days: ArrayLike, mean_spend: ArrayLike, weight: ArrayLike | None = None
) -> Fit:
    """Return the model 'mean_spend': an order of anybody is worth the mean of all orders.

    One parameter, mean = sum(x z) / sum(x), over the rows that Gamma-Gamma would take.
    """
    x, z, weights, _ = _usable(repeat_days, mean_spend, weight)
    customers, groups = float(weights.sum()), weights.size
    if not customers:
        return no_fit("mean_spend", 0, 0, "no repeat buyer with positive spend")
    mean = float((weights * x) @ z / (weights @ x))
    return Fit("mean_spend", {"mean": mean}, float("nan"), round(customers), groups, CONVERGED)


def fit_spend(
    repeat_days: ArrayLike,
    mean_spend: ArrayLike,
    weight: ArrayLike | None = None,
    minimum_repeat_buyers: int = MINIMUM_REPEAT_BUYERS,
) -> Fit:
    """Return the Gamma-Gamma where it is usable, else the mean spend with the reason why."""
    rich = fit_gamma_gamma(repeat_days, mean_spend, weight, minimum_repeat_buyers)
    if rich.is_usable:
        return rich
    plain = fit_mean_spend(repeat_days, mean_spend, weight)
    reason = f"no gamma_gamma ({rich.status}): {rich.reason}"
    return Fit(**{**plain.__dict__, "reason": reason})


def expected_spend(
    parameters: Mapping[str, float], repeat_days: ArrayLike, mean_spend: ArrayLike
) -> FloatArray:
    """Return the mean spend expected of an order, shape (rows,).

    p (v + x z) / (p x + q - 1), a mean of the customer's own average and everybody's (Fader, Hardie
    & Lee 2005, equation 5). Rows with x = 0 are expected to spend like everybody; days that
    brought nothing in, or less, count as days worth nothing. With the parameter `mean` alone it is
    that mean.

    Raises:
        ValueError: q <= 1, where there is no mean.
    """
    x, z = (
        np.atleast_1d(np.asarray(column, float))
        for column in np.broadcast_arrays(repeat_days, mean_spend)
    )
    if "mean" in parameters:
        return np.full(x.shape, parameters["mean"])
    p, q, v = _vector(parameters)
    if q <= 1:
        raise ValueError(f"q = {q:g}: a Gamma-Gamma with q <= 1 has no mean")
    total = np.where(x > 0, x * np.maximum(z, 0.0), 0.0)
    return p * (v + total) / (p * x + q - 1)


def correlation(
    repeat_days: ArrayLike, mean_spend: ArrayLike, weight: ArrayLike | None = None
) -> dict[str, float | None]:
    """Return how frequency and mean spend go together, which Gamma-Gamma takes to be nought.

    `pearson` is of the values, `spearman` of the ranks (ties share theirs), both weighted; None
    where one of them does not vary or there are no two rows to compare.
    """
    x, z, weights, _ = _usable(repeat_days, mean_spend, weight)
    ranks = [weighted_ranks(column, weights) for column in (x, z)]
    return {
        "pearson": weighted_correlation(x, z, weights),
        "spearman": weighted_correlation(*ranks, weights),
    }


def _positive(repeat_days: ArrayLike, mean_spend: ArrayLike) -> tuple[FloatArray, FloatArray]:
    x, z = (np.atleast_1d(np.asarray(column, float)) for column in (repeat_days, mean_spend))
    if not (np.all(x > 0) and np.all(z > 0)):
        raise ValueError("wanted: repeat days and mean spend > 0")
    return x, z


def _usable(
    repeat_days: ArrayLike, mean_spend: ArrayLike, weight: ArrayLike | None
) -> tuple[FloatArray, FloatArray, FloatArray, float]:
    x, z = (np.atleast_1d(np.asarray(column, float)) for column in (repeat_days, mean_spend))
    weights = np.ones_like(x) if weight is None else np.asarray(weight, float)
    if not x.shape == z.shape == weights.shape or not np.all(weights >= 0):
        raise ValueError("wanted: columns of one length, weights >= 0")
    kept = (x > 0) & (z > 0) & (z < np.inf) & (weights > 0)
    left_out = float(weights[(x > 0) & ~kept].sum())
    return x[kept], z[kept], weights[kept], left_out


def _vector(parameters: Mapping[str, float]) -> FloatArray:
    return np.array([parameters[name] for name in BOUNDS], float)


def _value(theta: FloatArray, x: FloatArray, z: FloatArray) -> FloatArray:
    p, q, v = theta
    share = np.log(x * z / (v + x * z))
    size = gammaln(p * x + q) - gammaln(p * x) - gammaln(q)
    return size + p * x * share - np.log(z) - q * np.log1p(x * z / v)


def _gradient(theta: FloatArray, x: FloatArray, z: FloatArray) -> FloatArray:
    p, q, v = theta
    more = digamma(p * x + q)
    by_p = x * (more - digamma(p * x) + np.log(x * z / (v + x * z)))
    by_q = more - digamma(q) - np.log1p(x * z / v)
    by_v = q / v - (p * x + q) / (v + x * z)
    return np.stack([by_p, by_q, by_v])
