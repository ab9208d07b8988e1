"""BG/NBD, MBG/NBD and Gamma-Gamma in the fewest lines, sharing none with `estimation`.

Likelihoods from the stories they tell (alive, or gone after the last order), fitted by a search
without derivatives; expectations by the hypergeometric formulas of the literature in mpmath; the
spread of future spend by living the horizon many times. Weeks, and currency as it comes.

Fader, Hardie and Lee (2005), "Counting Your Customers" the Easy Way; Batislam, Denizel and
Filiztekin (2007) and the form of Wagner and Hoppe (2008); Fader and Hardie (2013), note 025.
"""

from typing import NamedTuple

import mpmath
import numpy as np
import pandas as pd
from scipy.optimize import minimize
from scipy.special import betaln, gammaln

YEAR = 365 / 7
DISCOUNT = 1.10  # a year
STEPS = 12


class Orders(NamedTuple):
    """Parameters of BG/NBD, or of MBG/NBD, in which one may leave at the first order too."""

    r: float
    alpha: float
    a: float
    b: float


class Spend(NamedTuple):
    p: float
    q: float
    v: float


def statistics(days: pd.DataFrame, on: str) -> pd.DataFrame:
    """Return x, recency and age (weeks), mean (of repeat days) by customer, as known on a day.

    `days` has a row for each customer and day with an order: customer, day, dollars.
    """
    known = days[days["day"] <= on].sort_values(["customer", "day"])
    repeats = known[known.duplicated("customer")]
    by_customer = known.groupby("customer")["day"]
    first, last = by_customer.min(), by_customer.max()
    found = pd.DataFrame(
        {
            "x": by_customer.size() - 1,
            "recency": (last - first).dt.days / 7,
            "age": (pd.Timestamp(on) - first).dt.days / 7,
            "mean": repeats.groupby("customer")["dollars"].mean(),
        }
    )
    return found.fillna({"mean": 0.0})


def capped(x: pd.Series, share: float = 0.001) -> pd.Series:
    """Return x with the largest thousandth, rounded up to a whole customer, cut to the next."""
    aside = int(np.ceil(share * len(x)))
    return x.clip(upper=x.sort_values(ascending=False).iloc[aside])


def log_likelihood(model: str, theta: Orders, x, recency, age) -> float:
    """Sum over customers the chance of x orders up to recency, then silence: alive, or gone."""
    x, recency, age = (np.asarray(column, float) for column in (x, recency, age))
    r, alpha, a, b = theta
    chances = x + 1 if model == "mbgnbd" else x  # to leave, each passed by who is alive
    rate = gammaln(r + x) - gammaln(r) + r * np.log(alpha)
    alive = betaln(a, b + chances) - betaln(a, b) - (r + x) * np.log(alpha + age)
    left = np.maximum(chances - 1, 0)  # chances passed by who took the last one
    gone = betaln(a + 1, b + left) - betaln(a, b) - (r + x) * np.log(alpha + recency)
    gone = np.where(chances > 0, gone, -np.inf)
    return float(np.sum(rate + np.logaddexp(alive, gone)))


def spend_log_likelihood(theta: Spend, x, mean) -> float:
    x, z = np.asarray(x, float), np.asarray(mean, float)
    p, q, v = theta
    return float(
        np.sum(
            gammaln(p * x + q)
            - gammaln(p * x)
            - gammaln(q)
            + q * np.log(v)
            + (p * x - 1) * np.log(z)
            + p * x * np.log(x)
            - (p * x + q) * np.log(v + x * z)
        )
    )


def fit_orders(model: str, x, recency, age) -> Orders:
    return Orders(*_highest(lambda theta: log_likelihood(model, theta, x, recency, age), 4))


def fit_spend(x, mean) -> Spend:
    """Fit whoever has a positive mean."""
    kept = np.asarray(mean) > 0
    x, z = np.asarray(x)[kept], np.asarray(mean)[kept]
    unit = np.median(z)
    p, q, v = _highest(lambda theta: spend_log_likelihood(theta, x, z / unit), 3)
    return Spend(p, q, v * unit)


def _highest(height, count: int) -> np.ndarray:
    best = np.zeros(count)
    for _ in range(3):  # again from where it stopped: a simplex may shrink too early
        best = minimize(
            lambda logs: -height(np.exp(logs)),
            best,
            method="Nelder-Mead",
            options={"xatol": 1e-7, "fatol": 1e-8, "maxiter": 4000, "maxfev": 4000},
        ).x
    return np.exp(best)


def p_alive(model: str, theta: Orders, x: float, recency: float, age: float) -> float:
    if model == "bgnbd" and x == 0:
        return 1.0
    r, alpha, a, b = theta
    passed = b + x if model == "mbgnbd" else b + x - 1
    return 1 / (1 + a / passed * ((alpha + age) / (alpha + recency)) ** (r + x))


def expected_orders(
    model: str, theta: Orders, x: float, recency: float, age: float, weeks: float
) -> float:
    """Return E[orders in the weeks after age | x, recency, age], equation 10 of the paper."""
    r, alpha, a, b = map(mpmath.mpf, theta)
    last = b + x + (1 if model == "mbgnbd" else 0)
    total = a + last - 1
    decay = ((alpha + age) / (alpha + age + weeks)) ** (r + x)
    series = mpmath.hyp2f1(r + x, last, total, weeks / (alpha + age + weeks))
    if_alive = total / (a - 1) * (1 - decay * series)
    return float(if_alive) * p_alive(model, theta, x, recency, age)


def discounted_orders(model: str, theta: Orders, x: float, recency: float, age: float) -> float:
    """Return the orders of a year, those of each twelfth worth what they are in its middle."""
    reached = [
        expected_orders(model, theta, x, recency, age, YEAR * step / STEPS)
        for step in range(STEPS + 1)
    ]
    worth = DISCOUNT ** (-(np.arange(STEPS) + 0.5) / STEPS)
    return float(np.diff(reached) @ worth)


def order_value(theta: Spend, x: float, mean: float) -> float:
    """Return E[spend of an order], which lies between the customer's mean and everybody's."""
    p, q, v = theta
    everybody = p * v / (q - 1)
    own = p * x / (p * x + q - 1)
    return own * mean + (1 - own) * everybody


def days_to_next_order(theta: Orders, x: float, age: float) -> float:
    """Return the mean wait at the rate Gamma(r + x, alpha + age), of which 1 / rate has a mean."""
    return 7 * (theta.alpha + age) / (theta.r + x - 1)


def live_a_year(
    rng: np.random.Generator,
    model: str,
    orders: Orders,
    spend: Spend,
    customer: tuple[float, float, float, float],
    lives: int,
) -> np.ndarray:
    """Return what a customer (x, recency, age, mean) spends in the next year, in many lives."""
    x, recency, age, mean = customer
    is_alive = rng.random(lives) < p_alive(model, orders, x, recency, age)
    rate = rng.gamma(orders.r + x, 1 / (orders.alpha + age), lives)
    passed = x + 1 if model == "mbgnbd" else x
    leaves = rng.beta(orders.a, orders.b + passed, lives)
    stays = rng.geometric(np.maximum(leaves, 1e-12))
    count = np.minimum(rng.poisson(rate * YEAR), stays) * is_alive
    shape = spend.q + spend.p * x
    scale = rng.gamma(shape, 1 / (spend.v + x * mean), lives)
    return np.where(count > 0, rng.gamma(spend.p * np.maximum(count, 1)) / scale, 0.0)
