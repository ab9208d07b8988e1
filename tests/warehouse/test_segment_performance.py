"""Did the segments of past month-ends tell who would come back? Worked out from the raw files.

The history says who was in which segment; what these customers did in the next 91 days comes from
`customers_by_hand`, and the figures are exact fractions (definitions, section 10).
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import duckdb
import pytest

from orchestration.control import Request
from tests.shops import deliver, line, order, quick_run
from tests.warehouse import customers_by_hand, online_retail_by_hand, shop_by_hand
from tests.warehouse.customers_by_hand import Facts
from tests.warehouse.online_retail_by_hand import differences, half_away, published

QUARTER = timedelta(91)
HEADLINES = "top loyal growing slipping dormant"
# Best first; what is not named is not compared.
RANKED = {
    "headline_segment": HEADLINES,
    "model_segment": HEADLINES,
    "final_segment": HEADLINES,
    "rfm_segment": "champions loyal potential_loyalist new promising needs_attention "
    "about_to_sleep at_risk cannot_lose hibernating lost",
    "value_tier": "high mid low",
    "spend_band": "high mid low",
    "frequency_band": "high mid low",
    "margin_band": "high mid low",
    "abc_class": "A B C",
    "order_value_group": "E D C B A",
    "activity_status": "active silent lapsed",
    "interaction_band": "high mid low",
    "cycle_band": "short mid long",
    "loyalty_band": "high mid low",
    "relationship_tier": "loyal neutral distant",
}
STAGES = "new growth maturity reactivated decline churned"
DIMENSIONS = (*RANKED, "lifecycle_stage")

Row = dict[str, object]


@dataclass(frozen=True)
class Business:
    """A published warehouse, its history by month-end and customer, and the facts of its files."""

    warehouse: duckdb.DuckDBPyConnection
    history: Mapping[date, Mapping[str, Mapping[str, str | None]]]
    facts: Facts


@pytest.fixture(scope="module", params=["sample_shop", "online_retail"])
def business(request: pytest.FixtureRequest) -> Iterator[Business]:
    home = request.getfixturevalue(request.param)
    if request.param == "sample_shop":
        facts = customers_by_hand.facts_of_shop(shop_by_hand.compute(home.landing))
    else:
        (path,) = (home.landing / "online_retail" / "invoice_lines").glob("*.csv*")
        facts = customers_by_hand.facts_of_online_retail(online_retail_by_hand.compute(path))
    with home.connect() as connection:
        rows = connection.execute(f"""
            select as_of_date, customer_id, {", ".join(DIMENSIONS)} from customer_segments_history
        """).fetchall()
        history: dict[date, dict[str, dict[str, str | None]]] = defaultdict(dict)
        for day, who, *codes in rows:
            history[day][who] = dict(zip(DIMENSIONS, codes, strict=True))
        yield Business(connection, history, facts)


def performance(business: Business) -> dict[str, Row]:
    """Return the rows of `segment_performance`; money in cents."""
    facts, rows = business.facts, {}
    for day, customers in business.history.items():
        if day + QUARTER > facts.newest:
            continue
        orders = Counter(
            each.customer_id
            for each in facts.orders
            if each.is_counted(facts.newest) and day < each.day <= day + QUARTER
        )
        revenue: Counter[str] = Counter()
        for entry in facts.entries:
            if day < entry.day <= day + QUARTER:
                revenue[entry.customer_id] += entry.net
        for dimension in DIMENSIONS:
            members = defaultdict(list)
            for who, codes in customers.items():
                if codes[dimension] is not None:
                    members[codes[dimension]].append(who)
            for segment, whom in members.items():
                back = sum(orders[who] > 0 for who in whom)
                net = sum(revenue[who] for who in whom)
                rows[f"{dimension}:{segment}:{day}"] = {
                    "as_of_date": day,
                    "closes_on": day + QUARTER,
                    "dimension": dimension,
                    "segment": segment,
                    "customers": len(whom),
                    "returning_customers": back,
                    "orders_next_3m": sum(orders[who] for who in whom),
                    "net_revenue_next_3m": net,
                    "return_rate": Fraction(back, len(whom)),
                    "lapse_rate": 1 - Fraction(back, len(whom)),
                    "revenue_per_customer_next_3m": half_away(Fraction(net, len(whom))),
                }
    return rows


def separation(rows: Iterable[Row]) -> dict[str, Row]:
    """Return the rows of `segment_separation` from those of `segment_performance`."""
    by_date = defaultdict(dict)
    for row in rows:
        by_date[row["dimension"], row["as_of_date"]][row["segment"]] = row
    found = {}
    for (dimension, day), segments in by_date.items():
        order = RANKED.get(dimension, STAGES).split()
        compared = [segments[code] for code in order if code in segments]
        if not compared:
            continue
        customers = sum(row["customers"] for row in compared)
        rate = Fraction(sum(row["returning_customers"] for row in compared), customers)
        between = sum(row["customers"] * (row["return_rate"] - rate) ** 2 for row in compared)
        variance = customers * rate * (1 - rate)
        pairs = list(pairwise(compared)) if dimension in RANKED else []
        held = sum(worse["return_rate"] <= better["return_rate"] for better, worse in pairs)
        found[f"{dimension}:{day}"] = {
            "as_of_date": day,
            "dimension": dimension,
            "segments": len(compared),
            "customers": customers,
            "return_rate": rate,
            "separation": between / variance if variance and len(compared) > 1 else None,
            "neighbours": len(pairs),
            "monotonicity": Fraction(held, len(pairs)) if pairs else None,
        }
    return found


def test_every_segment_of_every_past_month_end_performed_as_the_files_say(business):
    mine = performance(business)
    columns = next(iter(mine.values()))
    found = published(business.warehouse, "segment_performance", "segment_performance_id", *columns)
    assert not differences(mine, found)
    assert len({row["as_of_date"] for row in mine.values()}) > 20
    # An order that was voided by now is in the history of its time and returned nobody.
    voided = [each for each in business.facts.orders if each.voided_on and each.net > 0]
    assert any(each.voided_on > each.day for each in voided)


def test_every_dimension_separates_as_the_files_say(business):
    mine = separation(performance(business).values())
    columns = next(iter(mine.values()))
    found = published(business.warehouse, "segment_separation", "segment_separation_id", *columns)
    assert not differences(mine, found, tolerance=1e-9)


@pytest.mark.slow
def test_kept_month_ends_are_judged_by_what_is_known_today(tmp_path: Path):
    """Windows of 91 days: of January 2 May, of February 30 May, of March 30 June, of April 30 July.

    First ann and bob exist since January, ann orders on 5 March, bob on 10 June: January and
    February are over, ann came back after both. Then ann is paid back on 20 June for March, dee's
    order of 1 April comes late, bob's of 5 July comes: March is over too, nobody came back but bob,
    after March. Dee is in no month-end that was kept; from the backfill on she is in April's.
    """
    landing = tmp_path / "landing"

    def sell(name: str, *sales: tuple[str, str, str]) -> None:
        deliver(landing, "orders", [order(*sale) for sale in sales], name)
        deliver(landing, "order_lines", [line(sale[0], "10.00") for sale in sales], name)

    def look(request: Request | None = None) -> list[tuple]:
        with quick_run(tmp_path, request).connect() as connection:
            return connection.execute("""
                select as_of_date::varchar, sum(customers), sum(returning_customers),
                    sum(orders_next_3m), sum(net_revenue_next_3m)::varchar
                from segment_performance where dimension = 'lifecycle_stage'
                group by 1 order by 1
            """).fetchall()

    sell(
        "1",
        ("o1", "ann", "2023-01-10"),
        ("o2", "bob", "2023-01-15"),
        ("o3", "ann", "2023-03-05"),
        ("o4", "bob", "2023-06-10"),
    )
    assert look() == [("2023-01-31", 2, 1, 1, "10.00"), ("2023-02-28", 2, 1, 1, "10.00")]
    sell("2", ("o5", "dee", "2023-04-01"), ("o6", "bob", "2023-07-05"))
    refund = {"refund_id": "r1", "order_id": "o3", "amount": "10.00"}
    deliver(landing, "refunds", [{**refund, "refunded_at": "2023-06-20 10:00:00"}])
    known_today = [
        ("2023-01-31", 2, 0, 0, "10.00"),
        ("2023-02-28", 2, 0, 0, "10.00"),
        ("2023-03-31", 2, 1, 1, "0.00"),
    ]
    assert look() == known_today
    assert look(Request(restate_from=date(2023, 3, 31))) == known_today
    sell("3", ("o7", "bob", "2023-08-01"))
    assert look() == [*known_today, ("2023-04-30", 3, 1, 2, "10.00")]
