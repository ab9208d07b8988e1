"""How many orders are still to come from a customer who is alive, on average.

The letters are those of `counts`: R = r + x, A = alpha + T, a and B. Times are in weeks.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit

from estimation.counts import future, survivals
from estimation.fits import FloatArray

YEAR = 365 / 7
LARGEST_SERIES_Z = 0.8  # beyond it the series takes hundreds of terms
LARGEST_SERIES_A = 50.0  # beyond it they grow before they fall
RELATIVE_ERROR = 1e-13  # where the series stops
TAIL = 30.0  # exp(-TAIL) is as good as zero beside 1


def orders_if_alive(
    model: str,
    parameters: Mapping[str, float],
    frequency: ArrayLike,
    age: ArrayLike,
    horizon: ArrayLike,
) -> FloatArray:
    """Return E[orders in (T, T+t] | alive at T] of each row, shape (rows,).

    Fader, Hardie & Lee's closed form (a+B-1)/(a-1) [1 - (A/(A+t))^R 2F1(R, B; a+B-1; z)], with
    z = t/(A+t), loses all its digits at large x and has a removable pole at a = 1 and a+B = 1.
    Euler's transformation takes it to (1-z)^(a-1) 2F1(a-1, e; c; z) with c = a+B-1 and e = c-R.
    Put in, the pole divides out, term by term:

        E = (1-z)^(a-1) sum_{k>=1} (a)_{k-1} / k! z^k G_k
        G_1 = R,  G_{k+1} = G_k + q_k R / (c+k),  q_k = e (e+1)_{k-1} / (c+1)_{k-1}

    where all terms are positive. Where they are not, or are many, E is the integral behind the
    closed form: the mean of (1 - (1 + p t/A)^-R) / p over the dropout probability p. The NBD has
    R t/A.

    Args:
        model: 'bgnbd', 'mbgnbd' or 'nbd'.
        parameters: r, alpha and, but for the NBD, a and b.
        frequency: repeat order days x, shape (rows,).
        age: weeks since the first order T, shape (rows,).
        horizon: weeks t, shape (rows,) or one for all.
    """
    x, shape, ratio = future(parameters, frequency, age, horizon)
    if model == "nbd":
        return shape * ratio
    a, b = parameters["a"], survivals(model, parameters, x)
    c = a + b - 1
    e = c - shape
    positive = (c > 0) & ((e >= -1) | (c >= -2 * e))
    series = positive & (ratio <= LARGEST_SERIES_Z / (1 - LARGEST_SERIES_Z))
    series &= a <= LARGEST_SERIES_A
    expected = np.zeros_like(ratio)
    expected[series] = _by_series(a, c[series], shape[series], ratio[series])
    rest = ~series
    for count in np.unique(x[rest]):
        alike = rest & (x == count)
        expected[alike] = _by_integral(a, b[alike][0], shape[alike][0], ratio[alike])
    return expected


def discounted_orders_if_alive(
    model: str,
    parameters: Mapping[str, float],
    frequency: ArrayLike,
    age: ArrayLike,
    horizon: ArrayLike,
    steps: int = 12,
    yearly_discount: float = 0.10,
) -> FloatArray:
    """Return the orders expected of a living customer, each worth less the later it comes.

    The horizon is cut into equal steps; the orders of a step are discounted from its middle, by
    (1 + yearly_discount)^-(weeks * 7 / 365). Shape (rows,).
    """
    if steps < 1:
        raise ValueError("wanted: at least one step")
    weeks = np.asarray(horizon, float)
    before: FloatArray | float = 0.0
    total: FloatArray | float = 0.0
    for step in range(1, steps + 1):
        until = orders_if_alive(model, parameters, frequency, age, weeks * step / steps)
        years = weeks * (step - 0.5) / steps / YEAR
        total = total + (until - before) * (1 + yearly_discount) ** -years
        before = until
    return np.asarray(total)


def _by_series(a: float, c: FloatArray, shape: FloatArray, ratio: FloatArray) -> FloatArray:
    """Sum the series of `orders_if_alive`; rows that are done leave the loop now and then."""
    total = np.zeros_like(ratio)
    rows = np.arange(ratio.size)
    z = ratio / (1 + ratio)
    power = z.copy()  # (a)_{k-1} / k! z^k
    gain = shape.copy()
    rest = c - shape
    here = np.zeros_like(ratio)
    k = 0
    while rows.size:
        for _ in range(8):
            k += 1
            here += power * gain
            gain += rest * shape / (c + k)
            rest = rest * ((c - shape + k) / (c + k))
            power *= z * ((a + k - 1) / (k + 1))
        # From here on a term falls by z (a+k)/(k+1) or faster, as gain grows by less each time.
        fall = z * np.maximum((a + k) / (k + 1), 1.0)
        done = power * np.maximum(gain, c) <= RELATIVE_ERROR * here * np.maximum(1 - fall, 0.0)
        if done.any():
            total[rows[done]] = here[done]
            left = ~done
            rows, z, power, gain = rows[left], z[left], power[left], gain[left]
            rest, here, c, shape = rest[left], here[left], c[left], shape[left]
    return total * np.exp((1 - a) * np.log1p(ratio))


def _by_integral(a: float, b: float, shape: float, ratio: FloatArray) -> FloatArray:
    """Return the mean of (1 - (1 + p t/A)^-R) / p over p ~ Beta(a, B), for rows of one x."""
    p, weight = _beta_nodes(a, b, max(shape * float(ratio.max()), 1.0))
    expected = np.empty_like(ratio)
    for first in range(0, ratio.size, 4096):
        part = slice(first, first + 4096)
        orders = -np.expm1(-shape * np.log1p(ratio[part, None] * p)) / p
        expected[part] = orders @ weight
    return expected


def _beta_nodes(a: float, b: float, steepness: float) -> tuple[FloatArray, FloatArray]:
    """Return p and weights (nodes,) that take the mean over Beta(a, b), trapezoids in logit p.

    In the logit y the integrand is analytic in a strip around the real line, so the trapezoidal
    rule gains digits exponentially as its step shrinks. Far out the density is exp(a y) to the
    left and exp(-b y) to the right, and what is averaged has stopped changing: the trapezoids out
    there are a geometric series, and the last node inside carries its sum.
    """
    mode = np.log(a / b)
    step = min(0.3, 0.5 * np.sqrt(1 / a + 1 / b))
    low = min(mode, -np.log(max(steepness, b))) - TAIL
    high = max(mode, 0.0) + TAIL
    y = np.arange(low, high + step, step)
    density = a * (y - mode) - (a + b) * (np.logaddexp(0, y) - np.logaddexp(0, mode))
    kept = density > -1.5 * TAIL  # one stretch, as the density is log-concave
    y, weight = y[kept], np.exp(density[kept])
    weight[0] /= -np.expm1(-a * step)
    weight[-1] /= -np.expm1(-b * step)
    return expit(y), weight / weight.sum()
