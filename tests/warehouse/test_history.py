"""The history of month-ends in a shop small enough to work out by hand, run after run.

Orders are of one piece and without costs. A window of 12 months is `as-of - 365 < day <= as-of`.

    run        brings                                                             newest as-of
    first      ann 100.00 on 2021-03-01, bob 40.00 on 2021-07-10,
               ann 60.00 on 2022-01-20, bob 10.00 on 2022-06-10                   2022-06-10
    late       dee 25.00 on 2022-04-15                                            2022-06-10
    restated   nothing; backfill from 2022-03-31                                  2022-06-10
    a_year_on  ann 1.00 on 2023-05-05; all master data again, another city        2023-05-05
    further    nothing; backfill from 2021-03-31                                  2023-05-05
    refunded   the 60.00 of ann paid back in full on 2022-05-20                   2023-05-05
"""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from orchestration import versions
from orchestration.control import Request
from orchestration.home import home
from tests.shops import deliver, line, order, quick_run

pytestmark = pytest.mark.slow

ANN, BOB, DEE = "shop:ann", "shop:bob", "shop:dee"


@dataclass(frozen=True)
class Seen:
    """What one run published.

    `revenue` is the 12-month net revenue by month-end and customer, `newest` that of the newest
    as-of.
    """

    revenue: dict[date, dict[str, Decimal]]
    rows: dict[date, list[tuple]]
    is_complete: dict[date, bool]
    newest: dict[str, Decimal]
    restatements: list[tuple]
    history: dict[str, Any]
    is_increment: bool

    @property
    def month_ends(self) -> list[date]:
        return sorted(self.revenue)

    @property
    def marked(self) -> list[date]:
        return [date.fromisoformat(day) for day in self.history["marked"]]


def month_ends(first: date, last: date) -> list[date]:
    """Return the month-ends from `first` to `last`, both of them month-ends."""
    days = (first + timedelta(days=number) for number in range((last - first).days + 1))
    return [day for day in days if (day + timedelta(days=1)).day == 1]


def amounts(**by_customer: str) -> dict[str, Decimal]:
    return {f"shop:{name}": Decimal(amount) for name, amount in by_customer.items()}


def look(root: Path, request: Request | None = None) -> Seen:
    """Run a home and read what it published."""
    warehouse = quick_run(root, request)
    with warehouse.connect() as connection:
        history = connection.execute(
            "select * from customer_segments_history order by as_of_date, customer_id"
        )
        names = [column[0] for column in history.description]
        rows = [dict(zip(names, row, strict=True)) for row in history.fetchall()]
        newest = connection.execute(
            "select customer_id, net_revenue_12m from customer_segments"
        ).fetchall()
        restatements = connection.execute(
            "select as_of_date, reason, customers_before, customers_after, customers_changed, "
            "net_revenue_12m_before, net_revenue_12m_after from restatements order by all"
        ).fetchall()
    with warehouse.build() as connection:
        started = connection.execute("select is_full_rebuild from control.increment").fetchone()
    manifest = versions.current(home(root))
    assert manifest is not None and started is not None
    days = sorted({row["as_of_date"] for row in rows})
    by_day = {day: [row for row in rows if row["as_of_date"] == day] for day in days}
    return Seen(
        {day: {row["customer_id"]: row["net_revenue_12m"] for row in by_day[day]} for day in days},
        {day: [tuple(row.values()) for row in by_day[day]] for day in days},
        {row["as_of_date"]: row["is_window_complete"] for row in rows},
        dict(newest),
        restatements,
        manifest["history"],
        not started[0],
    )


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Seen]:
    root = tmp_path_factory.mktemp("history")
    landing = root / "landing"

    def sell(name: str, *sales: tuple[str, str, str, str]) -> None:
        rows = [order(order_id, customer, day) for order_id, customer, day, _ in sales]
        deliver(landing, "orders", rows, name)
        lines = [line(order_id, price) for order_id, _, _, price in sales]
        deliver(landing, "order_lines", lines, name)

    def describe(name: str, city: str) -> None:
        customers = [
            {"customer_id": "ann", "registered_at": "2021-03-01 09:00:00", "city": city},
            {"customer_id": "bob", "registered_at": "2021-07-10 09:00:00", "city": city},
            # Nobody knows since when.
            {"customer_id": "cyd", "registered_at": "", "city": city},
        ]
        deliver(landing, "customers", customers, name)

    seen = {}
    sell(
        "1",
        ("o1", "ann", "2021-03-01", "100.00"),
        ("o2", "bob", "2021-07-10", "40.00"),
        ("o3", "ann", "2022-01-20", "60.00"),
        ("o4", "bob", "2022-06-10", "10.00"),
    )
    describe("1", "Linz")
    seen["first"] = look(root)
    sell("2", ("o5", "dee", "2022-04-15", "25.00"))
    seen["late"] = look(root)
    seen["restated"] = look(root, Request(restate_from=date(2022, 3, 31)))
    sell("3", ("o6", "ann", "2023-05-05", "1.00"))
    describe("3", "Graz")
    seen["a_year_on"] = look(root)
    seen["further"] = look(root, Request(restate_from=date(2021, 3, 31)))
    refund = {"refund_id": "r1", "order_id": "o3", "amount": "60.00"}
    deliver(landing, "refunds", [{**refund, "refunded_at": "2022-05-20 10:00:00"}])
    seen["refunded"] = look(root)
    assert not seen["first"].is_increment
    assert all(seen[name].is_increment for name in list(seen)[1:]), "a model or rule was edited"
    return seen


def test_month_ends_are_those_before_the_newest_day_that_know_of_anything(story: dict[str, Seen]):
    """The first fact is of March 2021; 24 months would reach back to June 2020."""
    first = story["first"]
    assert first.month_ends == month_ends(date(2021, 3, 31), date(2022, 5, 31))
    assert first.history == {"from": None, "last_day": None, "marked": []}
    assert first.restatements == []


def test_a_month_end_knows_its_own_12_months(story: dict[str, Seen]):
    expected = {}
    for day in month_ends(date(2021, 3, 31), date(2021, 6, 30)):
        expected[day] = amounts(ann="100.00")
    for day in month_ends(date(2021, 7, 31), date(2021, 12, 31)):
        expected[day] = amounts(ann="100.00", bob="40.00")
    # The window of 28 February 2022 opens on 1 March 2021, that of 31 March a month later.
    for day in month_ends(date(2022, 1, 31), date(2022, 2, 28)):
        expected[day] = amounts(ann="160.00", bob="40.00")
    for day in month_ends(date(2022, 3, 31), date(2022, 5, 31)):
        expected[day] = amounts(ann="60.00", bob="40.00")
    assert story["first"].revenue == expected


def test_a_customer_without_any_date_is_known_of_today_only(story: dict[str, Seen]):
    assert story["first"].newest == amounts(ann="60.00", bob="50.00", cyd="0.00")
    for seen in story.values():
        assert "shop:cyd" in seen.newest
        assert all("shop:cyd" not in customers for customers in seen.revenue.values())


def test_a_window_is_complete_from_the_day_on_which_365_days_are_known(story: dict[str, Seen]):
    """The first fact is of 2021-03-01: 2022-02-28 is its 365th day."""
    for seen in story.values():
        for day, is_complete in seen.is_complete.items():
            assert is_complete == (day >= date(2022, 2, 28)), day


def test_a_late_fact_marks_the_month_ends_it_changes(story: dict[str, Seen]):
    first, late, restated = story["first"], story["late"], story["restated"]
    changed = [date(2022, 4, 30), date(2022, 5, 31)]
    # It is there at once, and what was reported stays until somebody asks.
    assert late.newest == first.newest | amounts(dee="25.00")
    assert late.marked == changed
    assert late.rows == first.rows
    assert late.restatements == []
    # Asked for from a month-end before it on.
    assert restated.marked == []
    for day in first.month_ends:
        expected = first.revenue[day] | (amounts(dee="25.00") if day in changed else {})
        assert restated.revenue[day] == expected, day
    reason = "a fact dated on or before it came late"
    before, after = Decimal("100.00"), Decimal("125.00")
    # dee is new; the median order value falls from 50.00 to 40.00, which makes bob's 40.00 high.
    assert restated.restatements == [(day, reason, 2, 3, 2, before, after) for day in changed]


def test_a_fact_after_a_month_end_and_repeated_master_data_mark_nothing(story: dict[str, Seen]):
    a_year_on = story["a_year_on"]
    assert a_year_on.marked == []
    assert a_year_on.restatements == story["restated"].restatements
    assert a_year_on.newest == amounts(ann="1.00", bob="10.00", cyd="0.00", dee="0.00")


def test_month_ends_older_than_the_history_drop_out(story: dict[str, Seen]):
    """24 months before May 2023 is May 2021; 12 month-ends were added, of which one in 2022."""
    restated, a_year_on = story["restated"], story["a_year_on"]
    assert a_year_on.month_ends == month_ends(date(2021, 5, 31), date(2023, 4, 30))
    for day in month_ends(date(2021, 5, 31), date(2022, 5, 31)):
        assert a_year_on.rows[day] == restated.rows[day], day
    # ann's 60.00 of 2022-01-20 are in the window up to 2023-01-19, dee's 25.00 up to 2023-04-14.
    assert a_year_on.revenue[date(2022, 12, 31)] == amounts(ann="60.00", bob="10.00", dee="25.00")
    assert a_year_on.revenue[date(2023, 1, 31)] == amounts(ann="0.00", bob="10.00", dee="25.00")
    assert a_year_on.revenue[date(2023, 4, 30)] == amounts(ann="0.00", bob="10.00", dee="0.00")


def test_a_month_end_asked_for_stays(story: dict[str, Seen]):
    a_year_on, further, refunded = story["a_year_on"], story["further"], story["refunded"]
    every = month_ends(date(2021, 3, 31), date(2023, 4, 30))
    assert further.month_ends == every
    assert refunded.month_ends == every
    assert refunded.history["from"] == "2021-03-31"
    for day in every:
        assert further.revenue[day] == (a_year_on.revenue | story["first"].revenue)[day] or (
            day in (date(2022, 4, 30), date(2022, 5, 31))
        )
    assert further.restatements == a_year_on.restatements


def test_a_late_refund_marks_from_its_own_day_on(story: dict[str, Seen]):
    """The order is of January, the refund of 20 May: reports up to April were right."""
    further, refunded = story["further"], story["refunded"]
    assert refunded.marked == month_ends(date(2022, 5, 31), date(2023, 4, 30))
    assert refunded.rows == further.rows
