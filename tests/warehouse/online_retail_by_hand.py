"""Online Retail II by hand: the published numbers from the raw file, without the warehouse.

Written from the definitions alone (sections named in the docstrings) and sharing no code with the
models, so that agreement means something. Money is whole cents, prices are millionths, shares are
exact integers or fractions; there is no float between the file and a result.
"""

import csv
import datetime
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from statistics import median

import duckdb
import numpy as np
import pandas as pd

COLUMNS = (
    "invoice",
    "code",
    "description",
    "quantity",
    "invoiced_at",
    "price",
    "customer",
    "country",
)
LOOK_BACK_DAYS, YEAR_DAYS = 730, 365
MINIMUM_BUYERS = 30
SEEDS = Path(__file__).resolve().parents[2] / "seeds"
POINTS = {"high": 3, "mid": 2, "low": 1}
Date = datetime.date


def half_away(value: Fraction) -> int:
    """Round to a whole number, half away from zero (definitions, section 2)."""
    whole = (2 * abs(value.numerator) + value.denominator) // (2 * value.denominator)
    return whole if value >= 0 else -whole


# ---- Customers: measures and codes (definitions, sections 3 and 4) -----------------------------


@dataclass(frozen=True)
class Measures:
    """What the codes of one customer follow from; money in cents.

    Attributes:
        last_order: day of the last counted order over all history.
        frequency: counted orders in the look-back.
        monetary: net revenue in the look-back.
        net_revenue_12m: net revenue of the last 365 days.
        orders_12m: counted orders of the last 365 days.
        margin_12m: net less cost of the entries with a cost, None where none has one.
        margin_rate_12m: None where the definitions give none.
    """

    last_order: Date | None = None
    frequency: int = 0
    monetary: int = 0
    net_revenue_12m: int = 0
    orders_12m: int = 0
    margin_12m: int | None = None
    margin_rate_12m: Fraction | None = None


def is_within(day: Date, as_of: Date, days: int) -> bool:
    """Say whether a day is in the last N days: `as_of - N < day <= as_of` (section 1)."""
    return as_of - datetime.timedelta(days=days) < day <= as_of


def recency_scores(days: Mapping[str, int]) -> dict[str, int]:
    """`R = ceil(5 x share of them with the same or greater recency)` (section 3)."""
    ordered, count = sorted(days.values()), len(days)
    return {
        who: -(-5 * (count - bisect_left(ordered, value)) // count) for who, value in days.items()
    }


def rising_scores(values: Mapping[str, int]) -> dict[str, int]:
    """`F, M = 1 + floor(5 x share of them strictly below)` (section 3)."""
    ordered, count = sorted(values.values()), len(values)
    return {who: 1 + 5 * bisect_left(ordered, value) // count for who, value in values.items()}


def rfm_map() -> dict[str, tuple[str, str]]:
    """Return rfm code -> (rfm segment, headline segment)."""
    with (SEEDS / "rfm_map.csv").open(encoding="utf-8") as file:
        return {
            row["rfm_code"]: (row["rfm_segment"], row["headline_segment"])
            for row in csv.DictReader(file)
        }


def rfm_rows(measures: Mapping[str, Measures], as_of: Date) -> dict[str, dict[str, object]]:
    """Return the row of `customer_rfm` of every customer (section 3, method `quantile`).

    Whoever ordered only before the look-back is `lost` also where too few buyers are in it to rank.
    """
    buyers = {who: each for who, each in measures.items() if each.frequency > 0}
    is_ranked = len(buyers) >= MINIMUM_BUYERS
    recency = {
        who: (as_of - each.last_order).days
        for who, each in measures.items()
        if each.last_order is not None
    }
    r = recency_scores({who: recency[who] for who in buyers})
    f = rising_scores({who: each.frequency for who, each in buyers.items()})
    m = rising_scores({who: each.monetary for who, each in buyers.items()})
    segments = rfm_map()
    rows = {}
    for who, each in measures.items():
        scores: tuple[int | None, ...] = (None, None, None)
        code = None
        if each.last_order is None:
            segment = headline = "prospect"
        elif who in buyers and not is_ranked:
            segment = headline = "insufficient_evidence"
        else:
            scores = (r[who], f[who], m[who]) if who in buyers else (1, 1, 1)
            code = "".join(map(str, scores))
            segment, headline = segments[code]
        rows[who] = {
            "recency_days": recency.get(who),
            "frequency": each.frequency,
            "monetary": each.monetary,
            "r_score": scores[0],
            "f_score": scores[1],
            "m_score": scores[2],
            "rfm_code": code,
            "rfm_segment": segment,
            "headline_segment": headline,
        }
    return rows


def spend_band(cents: int) -> str:
    """High from 10,000; mid from 3,000; low (V1)."""
    return "high" if cents >= 10_000_00 else "mid" if cents >= 3_000_00 else "low"


def frequency_band(orders: int) -> str:
    """High from 12; mid from 4; low (V2, V12)."""
    return "high" if orders >= 12 else "mid" if orders >= 4 else "low"


def margin_band(rate: Fraction | None) -> str:
    """High from 20%; mid from 10%; low; without a rate unknown (V3)."""
    if rate is None:
        return "unknown"
    return "high" if rate >= Fraction(1, 5) else "mid" if rate >= Fraction(1, 10) else "low"


def value_tier(bands: Iterable[str]) -> tuple[int, str]:
    """Return points and tier: of three 8 and 5, of two 6 and 4 (V7)."""
    points = [POINTS[band] for band in bands if band != "unknown"]
    high, mid = (8, 5) if len(points) == 3 else (6, 4)
    total = sum(points)
    return total, "high" if total >= high else "mid" if total >= mid else "low"


def abc_classes(revenue: Mapping[str, int]) -> dict[str, str]:
    """Class by the share of positive revenue held by strictly better customers (V8)."""
    positive = sorted(value for value in revenue.values() if value > 0)
    sums = [0]
    for value in positive:
        sums.append(sums[-1] + value)
    total = sums[-1]

    def class_of(value: int) -> str:
        better = total - sums[bisect_right(positive, value)]
        if value <= 0 or 100 * better >= 95 * total:
            return "C"
        return "A" if 100 * better < 80 * total else "B"

    return {who: class_of(value) for who, value in revenue.items()}


def order_value_groups(measures: Mapping[str, Measures]) -> dict[str, str]:
    """Groups A-E; the value cut is the median of the average order values (L1)."""
    averages = {
        who: Fraction(each.net_revenue_12m, each.orders_12m)
        for who, each in measures.items()
        if each.orders_12m > 0
    }
    cut = median(averages.values()) if averages else Fraction(0)

    def group_of(who: str) -> str:
        if who not in averages:
            return "A"
        is_often, is_much = measures[who].orders_12m >= 4, averages[who] >= cut
        return "BCDE"[2 * is_often + is_much]

    return {who: group_of(who) for who in measures}


def value_rows(measures: Mapping[str, Measures]) -> dict[str, dict[str, object]]:
    """Return the row of `customer_value` of every customer (section 4)."""
    classes = abc_classes({who: each.net_revenue_12m for who, each in measures.items()})
    groups = order_value_groups(measures)
    rows = {}
    for who, each in measures.items():
        row: dict[str, object] = {
            "net_revenue_12m": each.net_revenue_12m,
            "orders_12m": each.orders_12m,
            "margin_12m": each.margin_12m,
            "margin_rate_12m": each.margin_rate_12m,
            "average_order_value_12m": half_away(Fraction(each.net_revenue_12m, each.orders_12m))
            if each.orders_12m
            else None,
            "order_value_group": groups[who],
            "spend_band": None,
            "frequency_band": None,
            "margin_band": None,
            "value_points": None,
            "value_tier": None,
            "has_conflicting_bands": None,
            "abc_class": None,
        }
        if each.last_order is not None:
            bands = (
                spend_band(each.net_revenue_12m),
                frequency_band(each.orders_12m),
                margin_band(each.margin_rate_12m),
            )
            points, tier = value_tier(bands)
            row |= {
                "spend_band": bands[0],
                "frequency_band": bands[1],
                "margin_band": bands[2],
                "value_points": points,
                "value_tier": tier,
                "has_conflicting_bands": "high" in bands and "low" in bands,
                "abc_class": classes[who],
            }
        rows[who] = row
    return rows


def differences(
    expected: Mapping, found: Mapping, shown: int = 10, tolerance: float = 1e-12
) -> list[str]:
    """Return the keys and columns in which the published rows are not the expected ones.

    Both map a key to a row (column -> value); only the columns of an expected row are compared. A
    fraction or a float equals a number that is as close to it as `tolerance`, by default as close
    as doubles of cents allow.
    """
    told = [f"only by hand: {key}" for key in expected.keys() - found.keys()]
    told += [f"only published: {key}" for key in found.keys() - expected.keys()]
    for key in expected.keys() & found.keys():
        for column, value in expected[key].items():
            other = found[key][column]
            if isinstance(value, (Fraction, float)) and other is not None:
                is_equal = abs(float(value) - float(other)) <= tolerance * max(1, abs(float(other)))
            else:
                is_equal = value == other
            if not is_equal:
                told.append(f"{key} {column}: by hand {value}, published {other}")
    return [f"{len(told)} differences", *sorted(told)[:shown]] if told else []


def published(connection: duckdb.DuckDBPyConnection, table: str, *columns: str) -> dict:
    """Return the columns of a published table by its first column, money in cents, nulls as None.

    Columns of type decimal(18, 2) are money by the contracts.
    """
    described = connection.execute(f"describe {table}").fetchall()
    kinds = {name: kind for name, kind, *_ in described}
    selected = ", ".join(
        f"({name} * 100)::bigint as {name}" if kinds[name] == "DECIMAL(18,2)" else name
        for name in columns
    )
    cursor = connection.execute(f"select {selected} from {table}")
    return {row[0]: dict(zip(columns[1:], row[1:], strict=True)) for row in cursor.fetchall()}


# ---- The file ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class OnlineRetail:
    """Everything that the raw file says.

    Attributes:
        rows: the file, one row per line, with `cents`, `state` (accepted, rejected, duplicate) and
            `reason`.
        orders: one row per accepted order: customer, day, net and shipping in cents, voided_on.
        refunds: one row per line of a credit note, with the invoice and row it refunds.
        ledger: signed entries: day, entry_type, order, customer, cents.
        as_of: day of the newest accepted fact.
        measures: of every customer that exists at `as_of`.
    """

    rows: pd.DataFrame
    orders: pd.DataFrame
    refunds: pd.DataFrame
    ledger: pd.DataFrame
    as_of: Date
    measures: dict[str, Measures]


def read_rows(path: Path) -> pd.DataFrame:
    """Read the file as text and add the exact numbers: quantity, `micros` (price), `at`, `sheet`.

    The second sheet begins where the time first runs backwards.
    """
    rows = pd.read_csv(path, dtype=str, keep_default_na=False)
    rows.columns = list(COLUMNS)
    prices = {text: int(Decimal(text).scaleb(6)) for text in rows["price"].unique()}
    rows["micros"] = rows["price"].map(prices).astype("int64")
    rows["pieces"] = rows["quantity"].astype("int64")
    rows["at"] = pd.to_datetime(rows["invoiced_at"], format="%Y-%m-%d %H:%M:%S")
    runs_back = rows["at"].diff() < pd.Timedelta(0)
    rows["sheet"] = np.where(np.arange(len(rows)) < int(runs_back.argmax()), 1, 2)
    exact = rows["pieces"].to_numpy() * rows["micros"].to_numpy()
    rows["cents"] = np.sign(exact) * ((np.abs(exact) + 5_000) // 10_000)
    rows["stock_code"] = rows["code"].str.strip().str.upper()
    rows["is_credit"] = rows["invoice"].str.startswith("C")
    rows["customer_id"] = ("online_retail:" + rows["customer"]).where(rows["customer"] != "")
    rows["order_id"] = "online_retail:" + rows["invoice"]
    return rows


def is_in_both_sheets(rows: pd.DataFrame) -> pd.Series:
    """Mark the n-th of equal rows of the second sheet where the first sheet has n of them."""
    identity = rows.groupby(list(COLUMNS), sort=False).ngroup()
    nth = identity.groupby([identity, rows["sheet"]]).cumcount() + 1
    in_first = identity[rows["sheet"] == 1].value_counts()
    return (rows["sheet"] == 2) & (nth <= identity.map(in_first).fillna(0))


def judge(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows with `treatment`, `state` and `reason`: the first rule that holds wins."""
    codes = pd.read_csv(SEEDS / "online_retail_codes.csv", dtype=str).set_index("stock_code")
    treatment = rows["stock_code"].map(codes["treatment"]).fillna("product")
    is_shipping_credit = (treatment == "shipping") & rows["is_credit"]
    reason = pd.Series("", index=rows.index)
    for holds, why in (
        (is_in_both_sheets(rows), "duplicate"),
        (treatment == "excluded", rows["stock_code"].map(codes["rejection_reason"])),
        (is_shipping_credit, "shipping credited"),
        (rows["micros"] <= 0, "no price"),
        (rows["is_credit"] & (rows["pieces"] >= 0), "credit note that takes nothing back"),
        (rows["is_credit"] & (rows["customer"] == ""), "credit note without customer"),
    ):
        reason = reason.mask((reason == "") & holds, why)
    state = np.select([reason == "", reason == "duplicate"], ["accepted", "duplicate"], "rejected")
    return rows.assign(treatment=treatment, reason=reason, state=state)


def match_refunds(sales: pd.DataFrame, credits: pd.DataFrame) -> pd.Series:
    """Return for each credited line the row of the sale line it refunds, -1 where there is none.

    Of the lines of the same customer, code and price up to that minute: one that sold as many
    pieces before one that sold fewer, then the latest, the greatest invoice, the last row.
    """
    key = ["customer", "stock_code", "micros"]
    wanted = set(credits[key].itertuples(index=False, name=None))
    shelf: dict[tuple, list[tuple]] = defaultdict(list)
    columns = [*key, "at", "invoice", "pieces"]
    for row in sales.loc[sales["pieces"] > 0, columns].itertuples(name=None):
        if row[1:4] in wanted:
            shelf[row[1:4]].append((*row[4:], row[0]))
    found = []
    for who, code, price, at, _, pieces in credits[columns].itertuples(index=False, name=None):
        earlier = [sale for sale in shelf[who, code, price] if sale[0] <= at]
        best = max(
            earlier, key=lambda sale: (sale[2] >= -pieces, sale[0], sale[1], sale[3]), default=None
        )
        found.append(-1 if best is None else best[3])
    return pd.Series(found, index=credits.index, dtype="int64")


def build_orders(sales: pd.DataFrame, refunds: pd.DataFrame) -> pd.DataFrame:
    """Return accepted orders by id; an order is void from the day its refunds reach its amount."""
    is_shipping = sales["treatment"] == "shipping"
    orders = (
        sales.assign(
            net=sales["cents"].where(~is_shipping, 0), shipping=sales["cents"].where(is_shipping, 0)
        )
        .groupby("order_id")
        .agg(
            customer_id=("customer_id", "first"),
            at=("at", "min"),
            net=("net", "sum"),
            shipping=("shipping", "sum"),
        )
    )
    orders["day"] = orders["at"].dt.date
    tied = refunds[refunds["refunded_row"] >= 0]
    by_day = tied.groupby(["refunded_order", "day"])["refund"].sum()
    so_far = by_day.groupby(level=0).cumsum()
    reached = so_far[so_far >= orders["net"].reindex(so_far.index.get_level_values(0)).to_numpy()]
    orders["voided_on"] = reached.reset_index().groupby("refunded_order")["day"].min()
    return orders


def build_ledger(sales: pd.DataFrame, refunds: pd.DataFrame) -> pd.DataFrame:
    """Return the signed entries of net revenue (section 2)."""
    lines = sales[sales["treatment"] != "shipping"]
    kinds = (
        pd.DataFrame(
            {
                "day": lines["at"].dt.date,
                "order_id": lines["order_id"],
                "entry_type": np.where(lines["pieces"] < 0, "return_line", "order_line"),
                "customer_id": lines["customer_id"],
                "cents": lines["cents"],
            }
        ),
        pd.DataFrame(
            {
                "day": refunds["day"],
                "order_id": refunds["refunded_order"],
                "entry_type": np.where(refunds["refunded_row"] >= 0, "refund", "credit_note"),
                "customer_id": refunds["customer_id"],
                "cents": -refunds["refund"],
            }
        ),
    )
    return pd.concat(kinds, ignore_index=True)


def measure_customers(
    orders: pd.DataFrame, ledger: pd.DataFrame, as_of: Date
) -> dict[str, Measures]:
    """Measure whoever has an accepted order or a credit note (section 1: who exists)."""
    counted = orders[
        (orders["net"] > 0)
        & ~(orders["voided_on"].notna() & (orders["voided_on"].fillna(Date.max) <= as_of))
    ]
    windows = {}
    for days in (LOOK_BACK_DAYS, YEAR_DAYS):
        start = as_of - datetime.timedelta(days=days)
        windows[days] = (
            counted[counted["day"] > start].groupby("customer_id").size().to_dict(),
            ledger[ledger["day"] > start].groupby("customer_id")["cents"].sum().to_dict(),
        )
    last = counted.groupby("customer_id")["day"].max().to_dict()
    existing = set(orders["customer_id"].dropna()) | set(ledger["customer_id"].dropna())
    return {
        who: Measures(
            last_order=last.get(who),
            frequency=windows[LOOK_BACK_DAYS][0].get(who, 0),
            monetary=int(windows[LOOK_BACK_DAYS][1].get(who, 0)),
            orders_12m=windows[YEAR_DAYS][0].get(who, 0),
            net_revenue_12m=int(windows[YEAR_DAYS][1].get(who, 0)),
        )
        for who in sorted(existing)
    }


def compute(path: Path) -> OnlineRetail:
    """Read the raw file and compute everything that the tests compare."""
    rows = judge(read_rows(path))
    accepted = rows[rows["state"] == "accepted"]
    sales = accepted[~accepted["is_credit"]]
    refunds = accepted[accepted["is_credit"]].copy()
    refunds["refunded_row"] = match_refunds(sales[sales["treatment"] != "shipping"], refunds)
    refunds["refunded_order"] = refunds["refunded_row"].map(sales["order_id"])
    refunds["day"], refunds["refund"] = refunds["at"].dt.date, -refunds["cents"]
    orders = build_orders(sales, refunds)
    ledger = build_ledger(sales, refunds)
    as_of = max(ledger["day"].max(), orders["day"].max())
    return OnlineRetail(
        rows, orders, refunds, ledger, as_of, measure_customers(orders, ledger, as_of)
    )
