"""The CDNOW sample as published: calibration to 1997-09-30, then 39 weeks of holdout."""

import gzip
from collections import defaultdict
from datetime import date
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

FILE = Path("/work/shared/data/cdnow_sample/CDNOW_sample.txt.gz")
CALIBRATION_END = date(1997, 9, 30)


class Customers(NamedTuple):
    frequency: np.ndarray
    recency: np.ndarray
    age: np.ndarray
    mean_spend: np.ndarray  # of the repeat days in the calibration, 0 where there are none
    holdout_orders: np.ndarray
    holdout_spend: np.ndarray


@cache
def customers() -> Customers:
    """Return the exact statistics, in weeks; orders of one customer on one day are one order."""
    spend: dict[str, dict[date, float]] = defaultdict(lambda: defaultdict(float))
    with gzip.open(FILE, "rt") as lines:
        for line in lines:
            _, customer, day, _, amount = line.split()
            spend[customer][date(int(day[:4]), int(day[4:6]), int(day[6:]))] += float(amount)
    rows = []
    for of_day in spend.values():
        days = sorted(of_day)
        repeat = [day for day in days[1:] if day <= CALIBRATION_END]
        later = [of_day[day] for day in days if day > CALIBRATION_END]
        last = repeat[-1] if repeat else days[0]
        rows.append(
            (
                len(repeat),
                (last - days[0]).days / 7,
                (CALIBRATION_END - days[0]).days / 7,
                np.mean([of_day[day] for day in repeat]) if repeat else 0.0,
                len(later),
                sum(later),
            )
        )
    return Customers(*np.array(rows, float).T)
