"""How many orders come: BG/NBD, MBG/NBD and NBD, by maximum likelihood on grouped statistics.

A customer orders at a rate of its own, gamma-distributed over customers with shape r and rate
alpha, in orders per week. After an order it drops out for good with a probability of its own,
beta-distributed with a and b. In the BG/NBD the first order is exempt from that, in the MBG/NBD it
is not; in the NBD nobody drops out, and there is no a and b.

Three statistics of a customer suffice: frequency x (repeat order days), recency t_x (weeks from the
first to the last order) and age T (weeks from the first order to the day of the forecast). Rows
are customers, or groups of customers with equal statistics and their number as weight.

References:
    Fader, Hardie & Lee (2005), "Counting Your Customers" the Easy Way, Marketing Science 24(2).
    Fader & Hardie, Overcoming the BG/NBD Model's #NUM! Error Problem, brucehardie.com/notes/027.
    Batislam, Denizel & Filiztekin (2007), Int. J. of Research in Marketing 24(3): the MBG/NBD.
    Hoppe & Wagner (2007), Customer Base Analysis: The Case for a Central Variant of the
    Betageometric/NBD Model, Marketing JRM 2.
    Ehrenberg (1959), The Pattern of Consumer Purchases, Applied Statistics 8(1): the NBD.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from estimation.counts import order_count_probabilities
from estimation.expectation import discounted_orders_if_alive, orders_if_alive
from estimation.fits import MINIMUM_REPEAT_BUYERS, Fit, FloatArray, maximise, no_fit
from estimation.likelihoods import gradient, names_of, statistics, value_and_alive, vector

__all__ = [
    "discounted_orders_if_alive",
    "expected_orders",
    "fit",
    "log_likelihood",
    "log_likelihood_gradient",
    "order_count_probabilities",
    "orders_if_alive",
    "p_alive",
]

BOUNDS = {"r": (1e-4, 1e4), "alpha": (1e-4, 1e6), "a": (1e-4, 1e4), "b": (1e-4, 1e4)}
START_SHAPES = ((0.5, 0.8, 2.0), (2.0, 0.5, 5.0), (0.2, 2.0, 2.0))  # r, a, b
NO_DROPOUT_LOSS = 0.01  # of log-likelihood, over all customers, that dropout may be worth at most


def log_likelihood(
    model: str,
    parameters: Mapping[str, float],
    frequency: ArrayLike,
    recency: ArrayLike,
    age: ArrayLike,
) -> FloatArray:
    """Return the log-likelihood of each row, shape (rows,).

    With k the chances to drop out that a living customer has passed up, x in the BG/NBD and x + 1
    in the MBG/NBD:

        ln L = ln G(r+x) - ln G(r) + r ln alpha
             + ln G(a+b) + ln G(b+k) - ln G(b) - ln G(a+b+k)
             + ln[(alpha+T)^-(r+x) + (k > 0) a / (b+k-1) (alpha+t_x)^-(r+x)]

    Fader & Hardie's form, in logarithms throughout. The NBD has the first line and the first term
    of the last.

    Raises:
        ValueError: a negative frequency, or a recency outside 0..age.
    """
    rows = statistics(frequency, recency, age)
    return value_and_alive(model, vector(model, parameters), rows)[0]


def log_likelihood_gradient(
    model: str,
    parameters: Mapping[str, float],
    frequency: ArrayLike,
    recency: ArrayLike,
    age: ArrayLike,
) -> FloatArray:
    """Return the derivatives of each row's log-likelihood, shape (parameters, rows).

    The order is r, alpha, a, b; r, alpha for the NBD. Where w is P(alive):

        d/dr     = psi(r+x) - psi(r) + ln alpha - w ln(alpha+T) - (1-w) ln(alpha+t_x)
        d/dalpha = r / alpha - w (r+x) / (alpha+T) - (1-w) (r+x) / (alpha+t_x)
        d/da     = psi(a+b) - psi(a+b+k) + (1-w) / a
        d/db     = psi(a+b) + psi(b+k) - psi(b) - psi(a+b+k) - (1-w) / (b+k-1)
    """
    rows = statistics(frequency, recency, age)
    theta = vector(model, parameters)
    return gradient(model, theta, rows, value_and_alive(model, theta, rows)[1])


def p_alive(
    model: str,
    parameters: Mapping[str, float],
    frequency: ArrayLike,
    recency: ArrayLike,
    age: ArrayLike,
) -> FloatArray:
    """Return the probability that a customer has not dropped out by age T, shape (rows,).

    1 / (1 + a / (b+k-1) ((alpha+T) / (alpha+t_x))^(r+x)). A BG/NBD customer without a repeat order
    had no chance to drop out and is alive for certain; so is everybody in the NBD.
    """
    return value_and_alive(model, vector(model, parameters), statistics(frequency, recency, age))[1]


def expected_orders(
    model: str,
    parameters: Mapping[str, float],
    frequency: ArrayLike,
    recency: ArrayLike,
    age: ArrayLike,
    horizon: ArrayLike,
) -> FloatArray:
    """Return the orders expected in the `horizon` weeks after age T, shape (rows,)."""
    alive = p_alive(model, parameters, frequency, recency, age)
    return alive * orders_if_alive(model, parameters, frequency, age, horizon)


def fit(
    model: str,
    frequency: ArrayLike,
    recency: ArrayLike,
    age: ArrayLike,
    weight: ArrayLike | None = None,
    minimum_repeat_buyers: int = MINIMUM_REPEAT_BUYERS,
) -> Fit:
    """Return the model fitted to the rows, or the reason why there is none.

    Where dropout adds nothing to the likelihood (a at its lower bound, b at its upper) the NBD is
    fitted in its place.

    Args:
        model: 'bgnbd', 'mbgnbd' or 'nbd'.
        frequency: repeat order days, shape (groups,).
        recency: weeks from first to last order, shape (groups,).
        age: weeks from first order to the day of the forecast, shape (groups,).
        weight: customers per group, shape (groups,); one each where left out.
        minimum_repeat_buyers: customers with a repeat order below which nothing is fitted.

    Raises:
        ValueError: an unknown model, negative weights, or statistics that cannot be.
    """
    names = names_of(model)
    rows = statistics(frequency, recency, age)
    weights = np.ones_like(rows.age) if weight is None else np.asarray(weight, float)
    if weights.shape != rows.age.shape or not np.all((weights >= 0) & (weights < np.inf)):
        raise ValueError("wanted: one weight >= 0 per row")
    if not np.all(weights > 0):
        kept = weights > 0
        rows = statistics(rows.frequency[kept], rows.recency[kept], rows.age[kept])
        weights = weights[kept]
    customers, groups = float(weights.sum()), weights.size
    repeat_buyers = float(weights[rows.frequency > 0].sum())
    if repeat_buyers < max(minimum_repeat_buyers, 1):
        reason = f"{repeat_buyers:.0f} repeat buyers, {minimum_repeat_buyers} wanted"
        return no_fit(model, customers, groups, reason)
    if all(np.ptp(column) == 0 for column in (rows.frequency, rows.recency, rows.age)):
        return no_fit(model, customers, groups, "all customers are alike")

    def objective(theta: FloatArray) -> tuple[float, FloatArray]:
        value, alive = value_and_alive(model, theta, rows)
        return float(weights @ value), gradient(model, theta, rows, alive) @ weights

    pace = float((weights @ rows.age) / (weights @ rows.frequency))  # weeks per order
    starts = [(r, max(r * pace, 1e-2), a, b)[: len(names)] for r, a, b in START_SHAPES]
    bounds = {name: BOUNDS[name] for name in names}
    found = maximise(model, objective, bounds, starts, customers, groups)
    if model != "nbd" and ("a at its lower" in found.reason or "b at its upper" in found.reason):
        simple = fit("nbd", rows.frequency, rows.recency, rows.age, weights, minimum_repeat_buyers)
        if simple.log_likelihood >= found.log_likelihood - NO_DROPOUT_LOSS:
            reason = f"no dropout in the {model} ({found.reason}), so the nbd"
            reason += f": {simple.reason}" if simple.reason else ""
            return Fit(**{**simple.__dict__, "reason": reason})
    return found
