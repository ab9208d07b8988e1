"""How two columns go together, in values and in ranks."""

import numpy as np
from scipy.stats import rankdata

from estimation.fits import FloatArray


def weighted_correlation(one: FloatArray, other: FloatArray, weights: FloatArray) -> float | None:
    """Return Pearson's correlation, None where a column does not vary or there are no two rows."""
    if one.size < 2 or np.ptp(one) == 0 or np.ptp(other) == 0:
        return None
    one = one - np.average(one, weights=weights)
    other = other - np.average(other, weights=weights)
    spread = np.sqrt((weights @ one**2) * (weights @ other**2))
    return float((weights * one) @ other / spread)


def weighted_ranks(values: FloatArray, weights: FloatArray) -> FloatArray:
    """Return the rank of each value, from 0 up; equal values share the middle of theirs."""
    dense = rankdata(values, method="dense").astype(int) - 1
    mass = np.bincount(dense, weights=weights)
    return (np.cumsum(mass) - mass / 2)[dense]
