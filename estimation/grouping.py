"""Customers with equal statistics become one row with a weight, before a model is fitted."""

import numpy as np
from numpy.typing import ArrayLike

from estimation.fits import FloatArray

LARGEST_GROUPS = 300_000
WINSORISED_SHARE = 0.999


def group_by_week_where_many(
    frequency: ArrayLike,
    recency_days: ArrayLike,
    age_days: ArrayLike,
    weight: ArrayLike | None = None,
    largest_groups: int = LARGEST_GROUPS,
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Return frequency, recency and age in weeks and the customers of each distinct group.

    Exact (days / 7) up to `largest_groups` groups, beyond that by rounded weeks. Rounded, not
    floored: flooring makes everybody half a week younger and moves alpha by -8% on CDNOW.

    Args:
        frequency: repeat order days, shape (rows,).
        recency_days: days from first to last order, shape (rows,).
        age_days: days from first order to the day of the forecast, shape (rows,).
        weight: customers per row, shape (rows,); one each where left out.
        largest_groups: groups up to which days stay exact.
    """
    days = [np.atleast_1d(np.asarray(c, float)) for c in (frequency, recency_days, age_days)]
    weights = np.ones_like(days[0]) if weight is None else np.asarray(weight, float)
    groups, customers = _grouped(days, weights)
    if customers.size > largest_groups:
        x, recency, age = groups
        groups, customers = _grouped([x, np.rint(recency / 7), np.rint(age / 7)], customers)
        return *groups, customers
    x, recency, age = groups
    return x, recency / 7, age / 7, customers


def winsorise(
    frequency: ArrayLike, weight: ArrayLike | None = None, share: float = WINSORISED_SHARE
) -> tuple[FloatArray, int]:
    """Return the frequencies with the largest capped, and how many customers were capped.

    A reseller who orders daily is no member of the population: one of 20,000 orders among 20,000
    customers moves alpha from 4.6 to 3.4. The cap is the largest frequency left when the top
    1 - share of the customers, rounded up to a whole customer, are set aside; so the one reseller
    of a small shop is capped too, at the second largest frequency. For fitting only: whoever was
    capped is still scored with what it ordered.
    """
    x = np.atleast_1d(np.asarray(frequency, float))
    weights = np.ones_like(x) if weight is None else np.asarray(weight, float)
    if not 0 < share <= 1:
        raise ValueError("wanted: a share in (0, 1]")
    order = np.argsort(x)[::-1]
    set_aside = np.ceil((1 - share) * weights.sum() - 1e-9)
    below = np.cumsum(weights[order]) > set_aside
    if not below.any():
        return x.copy(), 0
    cap = x[order][below][0]
    return np.minimum(x, cap), round(float(weights[x > cap].sum()))


def _grouped(columns: list[FloatArray], weights: FloatArray) -> tuple[list[FloatArray], FloatArray]:
    if any(column.shape != weights.shape for column in columns):
        raise ValueError("wanted: columns of one length")
    order = np.lexsort(columns[::-1])
    columns = [column[order] for column in columns]
    new = np.ones(weights.size, bool)
    new[1:] = np.any([column[1:] != column[:-1] for column in columns], axis=0)
    starts = np.flatnonzero(new)
    if not starts.size:
        return columns, weights
    return [column[starts] for column in columns], np.add.reduceat(weights[order], starts)
