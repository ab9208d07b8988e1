"""Fits the BG/NBD with the package `lifetimes`, in an environment of its own that has it.

As a program, so that it can be measured: file of statistics, as `clv.save_statistics` writes it,
and `start` to do all but the fit.
"""

import sys
import warnings

import numpy as np
from lifetimes import BetaGeoFitter

if __name__ == "__main__":
    warnings.simplefilter("ignore")
    frequency, recency_days, age_days = np.load(sys.argv[1])
    if sys.argv[2:] != ["start"]:
        fitter = BetaGeoFitter()
        fitter.fit(frequency, recency_days / 7, age_days / 7)
        sys.stdout.write(f"{dict(fitter.params_)}\n")
