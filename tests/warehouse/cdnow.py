"""The CDNOW sample (Fader and Hardie) as deliveries of the shop: an order for each row of its file.

The file has neither order numbers nor times of day: orders are numbered as they stand, at noon. A
row's dollars are the price of one piece, its number of discs is left out.
"""

import gzip
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from tests.shops import SHARED_DATA, deliver, line, order

FILE = SHARED_DATA / "cdnow_sample" / "CDNOW_sample.txt.gz"
ROWS, CUSTOMERS = 6_919, 2_357


class Row(NamedTuple):
    """A row of the file: the customer's number in the sample, the day, and dollars as written."""

    customer: str
    day: str
    dollars: str


def read_rows(file: Path = FILE) -> list[Row]:
    """Return the rows of the file, the day as in 1997-01-31."""
    with gzip.open(file, "rt", encoding="ascii") as lines:
        fields = [text.split() for text in lines]
    return [
        Row(customer, f"{day[:4]}-{day[4:6]}-{day[6:]}", dollars)
        for _, customer, day, _, dollars in fields
    ]


def deliver_cdnow(landing: Path, file: Path = FILE) -> None:
    """Write the sample as one delivery of `orders` and one of `order_lines`."""
    rows = [(f"o{number:04d}", row) for number, row in enumerate(read_rows(file), start=1)]
    deliver(landing, "orders", [order(key, row.customer, row.day) for key, row in rows])
    deliver(landing, "order_lines", [line(key, row.dollars) for key, row in rows])


def order_days(file: Path = FILE) -> pd.DataFrame:
    """Return a row for each customer and day that brought money: customer, day, dollars."""
    rows = pd.DataFrame(read_rows(file))
    rows["day"] = pd.to_datetime(rows["day"])
    rows["dollars"] = rows["dollars"].astype(float)
    days = rows.groupby(["customer", "day"], as_index=False)["dollars"].sum()
    return days[days["dollars"] > 0]
