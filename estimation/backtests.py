"""How a forecast did against what came; which model may be used is decided in SQL by these figures.

Measures are over customers, one element each; what came and what was predicted are repeat order
days in the horizon (spend, for the coverage of intervals). A measure that is not defined for its
input (no customers, nothing came, nothing varies) is None, never nan and never an error.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import rankdata

from estimation.correlation import weighted_correlation
from estimation.fits import FloatArray

LAST_BUCKET = 7


@dataclass(frozen=True)
class Measured:
    """One figure of a backtest; the bucket is 'all', a frequency ('0'..'6', '7+') or a decile."""

    measure: str
    bucket: str
    value: float | None


def accuracy(actual: ArrayLike, predicted: ArrayLike, frequency: ArrayLike) -> list[Measured]:
    """Return all measures of one forecast, in a fixed order.

    For all customers: customers, aggregate_ratio, mae, rmse, spearman, top_decile_capture. By
    frequency at the origin and by decile of prediction: customers and the means actual and
    predicted, as frequency_* and decile_*. Buckets without customers are left out.
    """
    came, told, counts = _columns(actual, predicted, frequency)
    rows = [
        Measured("customers", "all", float(came.size)),
        Measured("aggregate_ratio", "all", aggregate_ratio(came, told)),
        Measured("mae", "all", mae(came, told)),
        Measured("rmse", "all", rmse(came, told)),
        Measured("spearman", "all", spearman(came, told)),
        Measured("top_decile_capture", "all", top_decile_capture(came, told)),
    ]
    for kind, bucket in (("frequency", frequency_bucket(counts)), ("decile", deciles(told))):
        for name, inside in _buckets(bucket):
            rows.append(Measured(f"{kind}_customers", name, float(inside.sum())))
            rows.append(Measured(f"{kind}_actual", name, float(came[inside].mean())))
            rows.append(Measured(f"{kind}_predicted", name, float(told[inside].mean())))
    return rows


def coverage(
    actual: ArrayLike,
    lower: ArrayLike,
    upper: ArrayLike,
    frequency: ArrayLike,
    predicted: ArrayLike,
) -> list[Measured]:
    """Return the share of customers whose actual lies in lower..upper, bounds included.

    An interval that is right on average may be wrong for everybody: so by frequency at the origin
    and by decile of prediction too.
    """
    came, low, high, counts, told = _columns(actual, lower, upper, frequency, predicted)
    held = (low <= came) & (came <= high)
    rows = [Measured("coverage", "all", float(held.mean()) if held.size else None)]
    for kind, bucket in (("frequency", frequency_bucket(counts)), ("decile", deciles(told))):
        for name, inside in _buckets(bucket):
            rows.append(Measured(f"{kind}_coverage", name, float(held[inside].mean())))
    return rows


def aggregate_ratio(actual: ArrayLike, predicted: ArrayLike) -> float | None:
    """Return predicted over actual in sum: 1 is right. None where nothing came."""
    came, told = _columns(actual, predicted)
    return float(told.sum() / came.sum()) if came.sum() > 0 else None


def mae(actual: ArrayLike, predicted: ArrayLike) -> float | None:
    """Return the mean absolute error."""
    came, told = _columns(actual, predicted)
    return float(np.abs(told - came).mean()) if came.size else None


def rmse(actual: ArrayLike, predicted: ArrayLike) -> float | None:
    """Return the root of the mean squared error."""
    came, told = _columns(actual, predicted)
    return float(np.sqrt(((told - came) ** 2).mean())) if came.size else None


def spearman(actual: ArrayLike, predicted: ArrayLike) -> float | None:
    """Return the correlation of the ranks, ties sharing theirs; None where one does not vary."""
    came, told = _columns(actual, predicted)
    return weighted_correlation(rankdata(came), rankdata(told), np.ones_like(came))


def top_decile_capture(actual: ArrayLike, predicted: ArrayLike) -> float | None:
    """Return the share of what came that the best tenth by prediction holds.

    The best ceil(n / 10) customers. Where the border runs through equal predictions, these
    customers count with the share of them that still fits. None where nothing came.
    """
    came, told = _columns(actual, predicted)
    if came.sum() <= 0:
        return None
    places = -(-came.size // 10)
    border = np.sort(told)[-places]
    above, tied = told > border, told == border
    share = (places - above.sum()) / tied.sum()
    return float((came[above].sum() + share * came[tied].sum()) / came.sum())


def frequency_bucket(frequency: ArrayLike) -> list[str]:
    """Return '0'..'6' or '7+' of each customer."""
    (counts,) = _columns(frequency)
    return [str(int(n)) if n < LAST_BUCKET else f"{LAST_BUCKET}+" for n in counts]


def deciles(predicted: ArrayLike) -> list[str]:
    """Return the decile '1'..'10' of each prediction; equal predictions are never parted.

    1 + floor(10 x share of customers with a strictly lower prediction): with many ties some
    deciles stay empty.
    """
    (told,) = _columns(predicted)
    below = np.searchsorted(np.sort(told), told, side="left")
    return [str(1 + 10 * int(n) // told.size) for n in below]


def naive_rate(frequency: ArrayLike, age: ArrayLike, horizon: float) -> FloatArray:
    """Return the baseline that everybody goes on as before: x / T times the horizon, 0 at T = 0."""
    counts, weeks = _columns(frequency, age)
    return np.divide(counts, weeks, out=np.zeros_like(counts), where=weeks > 0) * horizon


def mean_rate(frequency: ArrayLike, age: ArrayLike, horizon: float) -> FloatArray:
    """Return the baseline that everybody is alike: sum(x) / sum(T) times the horizon."""
    counts, weeks = _columns(frequency, age)
    rate = counts.sum() / weeks.sum() if weeks.sum() > 0 else 0.0
    return np.full_like(counts, rate * horizon)


def _columns(*columns: ArrayLike) -> list[FloatArray]:
    arrays = [np.atleast_1d(np.asarray(column, float)) for column in columns]
    if any(array.shape != arrays[0].shape for array in arrays):
        raise ValueError("wanted: columns of one length")
    return arrays


def _buckets(names: list[str]) -> list[tuple[str, np.ndarray]]:
    """Return each bucket that somebody is in and who is, in order."""
    every = np.array(names, dtype=object)
    return [(name, every == name) for name in sorted(set(names), key=lambda n: int(n.strip("+")))]
