"""Would an outsider give every customer the same codes, at the newest as-of and at month-ends?

First `customers_by_hand` itself, against figures worked out on paper: the arithmetic stands in each
test. Then its rows against the published tables of four data sets, every customer, every column.

Day 0 of the worked examples is 2023-01-01; `D(n)` is the day n days later.
"""

import datetime
import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import duckdb
import pytest

from tests.shops import SHARED_DATA, Warehouse
from tests.warehouse import customers_by_hand, online_retail_by_hand, shop_by_hand
from tests.warehouse.customers_by_hand import (
    Customers,
    Entry,
    Facts,
    Interaction,
    Known,
    Order,
    Rhythm,
    compute,
    formula_rows,
    transitions,
)
from tests.warehouse.online_retail_by_hand import Measures, differences, published
from tests.warehouse.rough_shop import RoughShop

TOLERANCE = 1e-9
START = datetime.datetime(2023, 1, 1, 12)
STAGES = {"acquisition", "churned", "new", "reactivated", "decline", "growth", "maturity"}
Placed = tuple[int, int] | tuple[int, int, int]  # day, cents and day of the void


def D(number: int) -> datetime.date:
    return at(number).date()


def at(number: int) -> datetime.datetime:
    return START + datetime.timedelta(number)


def shop(
    orders: Mapping[str, Sequence[Placed]],
    interactions: Iterable[Interaction] = (),
    refunds: Iterable[Entry] = (),
) -> Facts:
    """Return the facts of a shop whose customers are known since day 0."""
    placed = [
        Order(f"{who}-{place}", who, at(each[0]), each[1], D(each[2]) if each[2:] else None)
        for who, own in orders.items()
        for place, each in enumerate(own)
    ]
    interactions = list(interactions)
    who_exists = [*orders, *(each.customer_id for each in interactions)]
    return Facts(
        customers={who: Known("shop", D(0)) for who in who_exists},
        orders=placed,
        entries=[*(Entry(each.customer_id, each.day, each.net) for each in placed), *refunds],
        interactions=interactions,
        newest=D(2000),
        oldest=D(0),
    )


def days(*numbers: int) -> list[Placed]:
    """Return orders of 100.00, one on each day."""
    return [(number, 100_00) for number in numbers]


def stage(facts: Facts, day: int, who: str = "ann") -> str:
    return customers_by_hand.stages(facts, D(day))[who]


def engagement(facts: Facts, day: int, who: str = "ann") -> dict[str, object]:
    return compute(facts, D(day)).engagement[who]


def told(day: int, kind: str, who: str = "ann", score: str | None = None, **more) -> Interaction:
    name = more.pop("name", f"{who}-{kind}-{day}-{score}")
    source = more.pop("source", "shop")
    return Interaction(name, who, source, at(day), kind, score and Fraction(score), **more)


# ---- Lifecycle on paper --------------------------------------------------------------------------


def test_without_a_counted_order_it_is_acquisition_until_the_order_and_after_its_void():
    facts = shop({"ann": [(10, 100_00, 20)], "bob": [(10, 0)]})
    assert [stage(facts, day) for day in (9, 10, 19, 20)] == [
        "acquisition",
        "new",
        "new",
        "acquisition",
    ]
    assert stage(facts, 15, "bob") == "acquisition"
    row = compute(facts, D(20)).lifecycle["ann"]
    assert (row["tenure_days"], row["orders_to_date"]) == (None, 0)


def test_the_first_day_in_the_lifecycle_is_the_first_counted_order_not_a_void_one():
    """Void from day 50 on: tenure at 49 is 49 - 10, at 50 it is 50 - 30; orders 2, then 1."""
    facts = shop({"ann": [(10, 100_00, 50), (30, 100_00)]})
    before, after = (compute(facts, D(day)).lifecycle["ann"] for day in (49, 50))
    assert (before["tenure_days"], before["orders_to_date"]) == (39, 2)
    assert (after["tenure_days"], after["orders_to_date"]) == (20, 1)
    assert (before["median_gap_days"], after["median_gap_days"]) == (20, None)


def test_two_orders_of_a_day_are_one_order_day_and_a_void_one_leaves_the_other():
    facts = shop({"ann": [(0, 100_00), (0, 50_00, 30), (20, 10_00)]})
    for day, orders in ((29, 3), (30, 2)):
        row = compute(facts, D(day)).lifecycle["ann"]
        assert (row["orders_to_date"], row["median_gap_days"]) == (orders, 20)


def test_one_order_day_is_new_for_89_days():
    """Nobody has a gap, so decline begins beyond 30 days: day 90 is 90 days since."""
    facts = shop({"ann": days(0)})
    assert [stage(facts, day) for day in (0, 89, 90)] == ["new", "new", "decline"]


def test_one_order_day_declines_by_the_median_of_the_population():
    """Bob's and cat's medians are 30 and 31, their median 30.5: decline beyond 91.5 days."""
    facts = shop({"ann": days(0), "bob": days(0, 30), "cat": days(0, 31)})
    assert [stage(facts, day) for day in (90, 91, 92)] == ["growth", "growth", "decline"]


def test_more_than_a_year_without_an_order_is_churned_for_everybody():
    """365 days are not more than 365. Bob's own median is 200, of which three times is 600."""
    facts = shop({"ann": days(200), "bob": [(0, 10_00), (200, 100_00)]})
    for who in ("ann", "bob"):
        assert [stage(facts, day, who) for day in (565, 566)] == ["growth", "churned"]


def test_who_orders_often_is_churned_by_its_own_rhythm():
    """Gaps 30 and 30: more than 180 days and more than 90, so 181; 91 to 180 days are decline."""
    facts = shop({"ann": days(0, 30, 60)})
    assert [stage(facts, 60 + since) for since in (180, 181)] == ["decline", "churned"]
    assert [stage(facts, 60 + since) for since in (90, 91)] == ["growth", "decline"]


def test_who_orders_slowly_is_not_churned_before_three_times_its_own_rhythm():
    """A gap of 70: three times is 210, which 210 days are not more than. At day 280 nothing came
    since day 98, and 200.00 before: a fall, so decline until then."""
    facts = shop({"ann": days(0, 70)})
    assert [stage(facts, 70 + since) for since in (210, 211)] == ["decline", "churned"]


def test_reactivated_for_90_days_by_an_order_after_a_long_gap():
    """2024-01-01, 01-31, 03-01 (gaps 30, 30), back on 2025-05-01 after 426 days.

    The other gaps' median is 30, so more than 180 days are long. 89 days after, 07-29, she is
    still back. On 07-30, after 90, she is not; 90 is not more than 3 x 30 (the median of 30, 30,
    426), nothing came in the earlier half-year, four orders and a tenure of over a year: maturity.
    On 07-31 91 days are more than 90: decline.
    """
    dates = ["2024-01-01", "2024-01-31", "2024-03-01", "2025-05-01"]
    numbers = [(datetime.date.fromisoformat(day) - D(0)).days for day in dates]
    facts = shop({"ann": days(*numbers)})
    seen = {
        day: customers_by_hand.stages(facts, datetime.date.fromisoformat(day))["ann"]
        for day in ("2025-04-30", "2025-05-01", "2025-07-29", "2025-07-30", "2025-07-31")
    }
    assert seen == {
        "2025-04-30": "churned",
        "2025-05-01": "reactivated",
        "2025-07-29": "reactivated",
        "2025-07-30": "maturity",
        "2025-07-31": "decline",
    }


def test_a_second_order_is_a_return_only_after_more_than_180_days():
    assert stage(shop({"ann": days(0, 180)}), 185) != "reactivated"
    assert stage(shop({"ann": days(0, 181)}), 185) == "reactivated"


def test_a_return_takes_more_than_twice_the_median_of_the_other_gaps():
    """Gaps 100 and 200: 200 is twice the other; 201 is more. With the gap itself counted the
    median would be 150, and neither would be long."""
    orders = [(0, 10_00), (100, 10_00)]
    assert stage(shop({"ann": [*orders, (300, 50_00)]}), 310) == "growth"
    assert stage(shop({"ann": [*orders, (301, 50_00)]}), 310) == "reactivated"


def test_a_return_stays_one_when_another_order_follows():
    """Gaps 200 and 60: the order of day 200 ended 200 > max(180, 2 x 60), 80 days before 280."""
    facts = shop({"ann": days(0, 200, 260)})
    assert [stage(facts, day) for day in (280, 289)] == ["reactivated", "reactivated"]
    assert stage(facts, 290) != "reactivated"


def test_decline_is_a_fall_to_half_between_the_halves_of_the_year():
    """At day 500 the earlier half is days 136 to 318, the later one 319 to 500.

    Earlier 200.00: 100.00 is half of it, 100.01 is not. On day 135 the first order is out of the
    year, on day 319 the second is in the later half.
    """

    def at_500(first: int, second: int, last: int) -> str:
        return stage(shop({"ann": [(first, 100_00), (second, 100_00), (490, last)]}), 500)

    assert at_500(136, 318, 100_00) == "decline"
    assert at_500(136, 318, 100_01) == "growth"
    assert at_500(135, 318, 100_00) == "growth"
    assert at_500(136, 319, 100_00) == "growth"


def test_refunds_count_in_the_half_of_their_day():
    """100.00 then 60.00; 10.00 back in the later half makes it half, 0.01 less does not."""
    orders = {"ann": [(310, 100_00), (350, 30_00), (490, 30_00)]}
    for refund, found in ((10_00, "decline"), (9_99, "growth")):
        assert stage(shop(orders, refunds=[Entry("ann", D(495), -refund)]), 500) == found
    nothing_before = [Entry("ann", D(311), -100_00), Entry("ann", D(495), -60_00)]
    assert stage(shop(orders, refunds=nothing_before), 500) == "growth"


def test_growth_ends_with_the_fourth_order_and_180_days():
    facts = shop({"ann": days(0, 60, 120, 170)})
    assert [stage(facts, day) for day in (179, 180)] == ["growth", "maturity"]
    assert stage(shop({"ann": days(0, 60, 120)}), 180) == "growth"


def test_activated_at_is_empty_until_its_day():
    facts = replace(shop({"ann": days(5)}), customers={"ann": Known("shop", D(0), at(3))})
    seen = [compute(facts, D(day)).lifecycle["ann"]["activated_at"] for day in (2, 3)]
    assert seen == [None, at(3)]


def test_a_transition_knows_the_days_since_the_first_month_end_of_the_former_stage():
    """New on 01-31 and 02-28, growth on 03-31: 59 days from 01-31. Growth to decline: 30 days.

    Bob appears in February, which is no change.
    """
    ends = [datetime.date(2025, month, day) for month, day in ((1, 31), (2, 28), (3, 31), (4, 30))]
    found = transitions(
        {
            ends[0]: {"ann": "new"},
            ends[1]: {"ann": "new", "bob": "acquisition"},
            ends[2]: {"ann": "growth", "bob": "acquisition"},
            ends[3]: {"ann": "decline", "bob": "new"},
        }
    )
    assert found == {
        (ends[2], "ann"): {"from_stage": "new", "to_stage": "growth", "days_in_former_stage": 59},
        (ends[3], "ann"): {
            "from_stage": "growth",
            "to_stage": "decline",
            "days_in_former_stage": 30,
        },
        (ends[3], "bob"): {
            "from_stage": "acquisition",
            "to_stage": "new",
            "days_in_former_stage": 61,
        },
    }


# ---- Engagement on paper -------------------------------------------------------------------------


def test_activity_goes_silent_after_180_days_and_lapses_after_365():
    facts = shop({"ann": days(0), "bob": []})
    seen = [engagement(facts, day)["activity_status"] for day in (180, 181, 365, 366)]
    assert seen == ["active", "silent", "silent", "lapsed"]
    assert engagement(facts, 0, "bob")["activity_status"] == "no_order"


def test_cycle_bands_cut_the_median_at_31_and_92():
    """Two gaps of 30 and 31 have the median 30.5, which is short."""
    cases = {
        (0, 30): "short",
        (0, 31): "mid",
        (0, 30, 61): "short",
        (0, 91): "mid",
        (0, 92): "long",
    }
    for own, code in cases.items():
        assert engagement(shop({"ann": days(*own)}), 200)["cycle_band"] == code, own
    one = engagement(shop({"ann": days(0)}), 200)
    assert (one["cycle_band"], one["median_gap_days"], one["gap_variation"]) == (
        "unknown",
        None,
        None,
    )


def test_repeat_rate_counts_complete_cycles_with_an_order_the_first_one_apart():
    """Gaps 30, 30, 35, so c = 30. Day 30 is in the first cycle (0, 30], 60 in the second.

    59 days: one complete cycle, nothing to tell. 60: both held. 90: the third is empty. 95 lies in
    the fourth, which is complete on day 120: three of four.
    """
    facts = shop({"ann": days(0, 30, 60, 95)})
    seen = [engagement(facts, day) for day in (59, 60, 89, 90, 119, 120)]
    assert [row["repeat_rate"] for row in seen] == [
        None,
        1,
        1,
        Fraction(2, 3),
        Fraction(2, 3),
        Fraction(3, 4),
    ]
    assert [row["loyalty_band"] for row in seen] == ["unknown", "high", "high", "mid", "mid", "mid"]


def test_an_order_a_day_after_the_end_of_a_cycle_belongs_to_the_next():
    """Day 31 is in (30, 60], so (0, 30] is empty: one of two at day 60. Bob's gaps keep c at 30."""
    facts = shop({"ann": days(0, 31), "bob": days(0, 5, 10)})
    assert engagement(facts, 60)["repeat_rate"] == Fraction(1, 2)
    assert engagement(facts, 60)["loyalty_band"] == "mid"


def test_a_cycle_is_the_median_gap_of_the_population_halves_and_all():
    """Gaps 40 and 41: c = 40.5. Three cycles are complete after 121.5 days; day 81 ends the second.

    On day 80 the second gap is not known: c = 40, and of two cycles the first is held. A customer
    without orders, or with one order day, has no median and does not move it.
    """
    facts = shop({"ann": days(0, 40, 81), "bob": days(7), "cat": []})
    seen = [engagement(facts, day)["repeat_rate"] for day in (80, 81, 121, 122)]
    assert seen == [Fraction(1, 2), 1, 1, Fraction(2, 3)]


def test_a_cycle_is_never_shorter_than_30_days():
    """Gaps of 10; two cycles are complete on day 60, and the second, (30, 60], is empty."""
    facts = shop({"ann": days(0, 10, 20, 30)})
    assert [engagement(facts, day)["repeat_rate"] for day in (59, 60)] == [None, Fraction(1, 2)]


def test_loyalty_bands_begin_with_80_and_50_percent():
    """Cycles of 30 by day 150: five. Four held are high; by day 120 two of four are mid."""
    crowd = {f"x{number}": days(0, 30) for number in range(9)}
    four = shop({"ann": days(0, 20, 40, 70, 150), **crowd})
    assert engagement(four, 150)["repeat_rate"] == Fraction(4, 5)
    assert engagement(four, 150)["loyalty_band"] == "high"
    two = shop({"ann": days(0, 20, 100), **crowd})
    assert [engagement(two, day)["loyalty_band"] for day in (120, 150)] == ["mid", "low"]


def test_repeat_order_rate_counts_orders_not_days():
    facts = shop({"ann": [*days(0, 0, 10), (12, 100_00, 40)], "bob": days(3), "cat": []})
    assert engagement(facts, 39)["repeat_order_rate"] == Fraction(3, 4)
    assert engagement(facts, 40)["repeat_order_rate"] == Fraction(2, 3)
    assert engagement(facts, 40, "bob")["repeat_order_rate"] == 0
    assert engagement(facts, 40, "cat")["repeat_order_rate"] is None


def test_stability_falls_with_the_variation_of_the_gaps():
    """Gaps 10, 20, 30: mean 20, sample deviation 10, variation 0.5, stability 2 / 3.

    At day 60 both cycles hold an order, so the score is (1 + 2 / 3) / 2. Equal gaps: variation 0.
    One gap: none, stability 0, and the score at day 20, without a rate, is that 0.
    """
    row = engagement(shop({"ann": days(0, 10, 30, 60)}), 60)
    assert row["gap_variation"] == pytest.approx(0.5)
    assert row["loyalty_score"] == pytest.approx(5 / 6)
    equal = engagement(shop({"ann": days(0, 30, 60)}), 60)
    assert (equal["gap_variation"], equal["loyalty_score"]) == (0, 1)
    once = engagement(shop({"ann": days(0, 10)}), 20)
    assert (once["gap_variation"], once["loyalty_score"]) == (None, 0)
    assert engagement(shop({"ann": []}), 20)["loyalty_score"] == 0


def test_persons_referred_are_a_part_where_the_source_tells_of_referrals():
    """Two distinct persons of three; the rate is 1, stability 1: (1 + 2 / 3 + 1) / 3 = 8 / 9.

    Bob refers nobody: 0, 1, 1. From day 59 back nobody has told: the part is missing for all.
    Five persons are no more than three.
    """
    orders = {"ann": days(0, 30, 60), "bob": days(0, 30, 60)}
    persons = [
        told(60, "referral", name=name, referred_customer_id=name[0]) for name in ("x1", "x2", "y")
    ]
    facts = shop(orders, [*persons, told(60, "referral", name="blank")])
    assert engagement(facts, 60)["loyalty_score"] == pytest.approx(8 / 9)
    assert engagement(facts, 60, "bob")["loyalty_score"] == pytest.approx(2 / 3)
    assert engagement(facts, 59)["loyalty_score"] == 0
    elsewhere = [told(60, "referral", "eve", source="web", referred_customer_id="x")]
    assert engagement(shop(orders, elsewhere), 60)["loyalty_score"] == 1
    many = [told(60, "referral", name=name, referred_customer_id=name) for name in "abcde"]
    assert engagement(shop(orders, many), 60)["loyalty_score"] == 1


def test_interactions_of_91_days_count_but_registering_and_campaigns():
    """At day 100 the window is days 10 to 100. Bands: 15 / 3 = 5 high, 14 mid, 6 mid, 5 low."""
    uncounted = [told(50, "register"), told(50, "campaign_activity")]
    edge = [told(9, "visit"), told(10, "login"), told(100, "csat", score="5"), told(101, "visit")]
    facts = shop({"bob": days(0)}, [*uncounted, *edge])
    assert engagement(facts, 100)["interactions_3m"] == 2
    assert engagement(facts, 100, "bob")["interactions_3m"] == 0
    for count, code in ((15, "high"), (14, "mid"), (6, "mid"), (5, "low"), (0, "low")):
        visits = [told(50, "visit", name=str(number)) for number in range(count)]
        row = engagement(shop({"ann": []}, [*visits, told(50, "visit", "bob")]), 100)
        assert (row["interactions_3m"], row["interaction_band"]) == (count, code)


def test_interactions_are_unknown_where_the_source_told_of_none_in_the_window():
    facts = shop(
        {"ann": days(0)},
        [told(9, "visit"), told(50, "register"), told(50, "visit", "eve", source="web")],
    )
    facts = replace(facts, customers=facts.customers | {"eve": Known("web", D(0))})
    row = engagement(facts, 100)
    assert (row["interactions_3m"], row["interaction_band"]) == (None, "unknown")
    assert row["relationship_tier"] == "unknown"
    assert engagement(facts, 99)["interactions_3m"] == 1
    assert engagement(facts, 100, "eve")["interactions_3m"] == 1


def test_satisfaction_is_the_mean_of_a_year_and_the_newest_answer_of_any_age():
    """CSAT of days 36 to 400 at day 400: (3 + 4.5) / 2. Of two NPS of a moment the greater id."""
    answers = [
        told(35, "csat", score="1"),
        told(36, "csat", score="3"),
        told(400, "csat", score="4.5"),
        told(401, "csat", score="5"),
        told(3, "nps", score="9", name="a"),
        told(3, "nps", score="2", name="b"),
        told(2, "nps", score="10", name="c"),
    ]
    row = engagement(shop({}, answers), 400)
    assert (row["csat_average_12m"], row["nps_answer"]) == (Fraction(15, 4), 2)
    assert row["last_survey_at"] == at(400)
    early = engagement(shop({}, answers), 34)
    assert (early["csat_average_12m"], early["last_survey_at"]) == (None, at(3))


def test_tickets_and_complaints_are_open_until_the_day_they_are_resolved():
    facts = shop(
        {"ann": []},
        [
            told(10, "complaint", resolved_at=at(20)),
            told(12, "service_ticket"),
            told(13, "consultation"),
            told(14, "service_ticket", resolved_at=at(14)),
        ],
    )
    counts = [engagement(facts, day)["open_ticket_count"] for day in (9, 10, 12, 19, 20, 90)]
    assert counts == [0, 1, 2, 2, 1, 1]


@pytest.mark.parametrize(
    ("visits", "csat", "tier"),
    [
        (5, "4", "loyal"),  # with the answer itself six interactions, 2 a month: not low
        (5, "3.999999", "neutral"),
        (5, "3", "neutral"),
        (5, "2.999999", "distant"),
        (4, "4", "neutral"),  # low, but content
        (4, "3.999999", "distant"),
        (4, None, "unknown"),
    ],
)
def test_a_relationship_is_interaction_and_satisfaction(visits, csat, tier):
    known = [told(50, "visit", name=str(number)) for number in range(visits)]
    answer = [told(50, "csat", score=csat)] if csat else []
    assert engagement(shop({"ann": []}, [*known, *answer]), 60)["relationship_tier"] == tier


def test_to_activate_is_high_value_without_interaction_or_loyalty_gone_silent():
    """Twelve orders of 1,000.00 are two high bands of two, 6 points, high value.

    Loyal: cycles of 30, held by orders every 20 days up to day 1,000; by day 1,181 (181 days
    since) 33 of 39 cycles, 84.6%, are held: high; and she is silent. On day 1,180 she is active.
    """
    rich = {"ann": [(10 * number, 1_000_00) for number in range(12)], "bob": days(100)}
    visits = [told(200, "visit", "bob")]
    assert engagement(shop(rich, visits), 201)["to_activate"] is True
    assert engagement(shop(rich, visits), 201, "bob")["to_activate"] is False
    assert engagement(shop(rich), 201)["to_activate"] is False
    calls = [told(200, "visit", name=str(number)) for number in range(6)]
    assert engagement(shop(rich, [*visits, *calls]), 201)["to_activate"] is False
    loyal = shop({"ann": days(*range(0, 1001, 20))})
    seen = [engagement(loyal, day) for day in (1180, 1181)]
    assert [row["repeat_rate"] for row in seen] == [Fraction(34, 39), Fraction(34, 39)]
    assert [row["to_activate"] for row in seen] == [False, True]


# ---- The CLV formula on paper --------------------------------------------------------------------


def crowd(faithful: int, gone: int) -> dict[str, list[Placed]]:
    """Return who ordered on day 0 and 400, and who on day 0 alone."""
    return {f"f{n}": days(0, 400) for n in range(faithful)} | {
        f"g{n}": days(0) for n in range(gone)
    }


def test_the_formula_is_value_times_frequency_times_life():
    """By day 729 (730 known days) the last year is days 365 to 729, the one before days 0 to 364.

    12 of the 30 of 2023 are gone: 0.4, 2.5 years. f0 brought 200.00 in 2 orders: 100.00 x (2 x 365
    / 729) x 2.5 = 250.34. On day 728 nobody knows. Ann, of day 700, has 29 days of tenure: 50.00 x
    1 x 2.5. Her year, 2024, has no year before: the population's.
    """
    facts = shop(crowd(18, 12) | {"ann": [(700, 50_00)], "bob": []})
    rows = formula_rows(facts, D(729))
    assert rows["f0"] == {
        "clv_historic_revenue": 200_00,
        "clv_historic_margin": None,
        "average_order_value": 100_00,
        "orders_per_year": Fraction(730, 729),
        "expected_years": Fraction(5, 2),
        "yearly_churn": Fraction(2, 5),
        "churn_cohort": "2023",
        "clv_formula": 250_34,
    }
    assert (rows["ann"]["churn_cohort"], rows["ann"]["clv_formula"]) == ("population", 125_00)
    assert set(rows["bob"].values()) == {0, None}
    early = formula_rows(facts, D(728))["f0"]
    assert (early["orders_per_year"], early["clv_formula"]) == (Fraction(730, 728), None)


@pytest.mark.parametrize(
    ("faithful", "gone", "life"),
    [(30, 0, 10), (28, 2, 10), (27, 3, 10), (26, 4, Fraction(15, 2)), (0, 30, 1), (29, 0, None)],
)
def test_life_is_one_by_churn_between_one_year_and_ten(faithful, gone, life):
    row = formula_rows(shop(crowd(faithful, gone)), D(729))
    assert row["f0" if faithful else "g0"]["expected_years"] == life


def test_a_void_order_is_none_and_a_refund_lowers_the_value():
    """g0's order is void from day 729: 29 are left, too few. f0 gets 30.00 back, costs 60.00."""
    placed = crowd(29, 0) | {"g0": [(0, 100_00, 729)]}
    refunds = [Entry("f0", D(500), -30_00), Entry("f0", D(1), 100_00, 60_00)]
    facts = shop(placed, refunds=refunds)
    assert formula_rows(facts, D(728))["g0"]["average_order_value"] == 100_00
    row = formula_rows(facts, D(729))["f0"]
    assert (row["average_order_value"], row["clv_historic_margin"]) == (135_00, 40_00)
    assert (row["expected_years"], row["churn_cohort"]) == (None, None)


# ---- Scores by thresholds, and the module against others of its kind -----------------------------


def test_thresholds_score_where_they_say_also_with_few_buyers():
    """R: 30 days 5, 31 4, 91 3, 181 2, 366 1. F: from 2, 3, 4, 12. M: from 300 to 10,000."""
    as_of = D(1000)

    def score(since: int, frequency: int, cents: int) -> str | None:
        one = Measures(D(1000 - since), frequency, cents)
        return customers_by_hand.threshold_rows({"ann": one}, as_of)["ann"]["rfm_code"]

    cases = {30: "5", 31: "4", 90: "4", 91: "3", 180: "3", 181: "2", 365: "2", 366: "1"}
    assert {since: score(since, 1, 0)[0] for since in cases} == cases
    cases = {1: "1", 2: "2", 3: "3", 4: "4", 11: "4", 12: "5"}
    assert {orders: score(0, orders, 0)[1] for orders in cases} == cases
    cases = {-5: "1", 299_99: "1", 300_00: "2", 999_99: "2", 1_000_00: "3", 3_000_00: "4"}
    cases |= {9_999_99: "4", 10_000_00: "5"}
    assert {cents: score(0, 1, cents)[2] for cents in cases} == cases
    assert score(731, 0, 0) == "111"
    never = customers_by_hand.threshold_rows({"ann": Measures()}, as_of)["ann"]
    assert (never["rfm_code"], never["headline_segment"]) == (None, "prospect")


@pytest.fixture(scope="module")
def rough_facts(tmp_path_factory: pytest.TempPathFactory) -> Facts:
    landing = tmp_path_factory.mktemp("rough_facts")
    RoughShop(seed=4).fill(orders=900).write(landing)
    return customers_by_hand.facts_of_shop(shop_by_hand.compute(landing))


def test_facts_dated_after_an_as_of_change_no_row_of_it(rough_facts):
    day = datetime.date(2024, 8, 31)

    def by_then(moment: datetime.datetime | datetime.date | None) -> bool:
        return moment is not None and str(moment)[:10] <= str(day)

    known = Facts(
        customers={
            who: each if by_then(each.activated_at) else each._replace(activated_at=None)
            for who, each in rough_facts.customers.items()
            if by_then(each.since)
        },
        orders=[
            each if by_then(each.voided_on) else each._replace(voided_on=None)
            for each in rough_facts.orders
            if by_then(each.day)
        ],
        entries=[each for each in rough_facts.entries if by_then(each.day)],
        interactions=[
            each if by_then(each.resolved_at) else each._replace(resolved_at=None)
            for each in rough_facts.interactions
            if by_then(each.at)
        ],
        newest=day,
        oldest=rough_facts.oldest,
    )
    assert len(known.orders) < len(rough_facts.orders)
    assert compute(known, day) == compute(rough_facts, day)
    assert formula_rows(known, day) == formula_rows(rough_facts, day)


def test_rhythm_agrees_with_the_library_and_with_a_walk_from_day_to_day(rough_facts):
    day = datetime.date(2024, 8, 31)
    cycle = 84
    seen = 0
    for who, rhythm in customers_by_hand.rhythms(rough_facts, day).by_customer.items():
        gaps = [(b - a).days for a, b in zip(rhythm.days, rhythm.days[1:], strict=False)]
        assert rhythm.median_gap == (statistics.median(gaps) if gaps else None)
        if len(gaps) > 1:
            variation = statistics.stdev(gaps) / statistics.mean(gaps)
            assert rhythm.variation == pytest.approx(variation, rel=1e-12), who
        held: list[bool] = []
        ordered = set(rhythm.days)
        today, end = rhythm.days[0], rhythm.days[0] + datetime.timedelta(cycle)
        is_held = False
        while today < day:
            today += datetime.timedelta(1)
            is_held = is_held or today in ordered
            if today == end:
                held.append(is_held)
                end, is_held = end + datetime.timedelta(cycle), False
        rate = Fraction(sum(held), len(held)) if len(held) >= 2 else None
        assert rhythm.repeat_rate(day, cycle) == rate, who
        seen += rate is not None
    assert seen > 30


def test_a_rhythm_without_days_is_empty():
    nobody = Rhythm(())
    assert nobody.days_since(D(0)) is None
    assert nobody.repeat_rate(D(900), 30) is None
    assert not nobody.has_come_back(D(900))


# ---- The published tables ------------------------------------------------------------------------


HISTORY = (
    "headline_segment",
    "rfm_segment",
    "rfm_code",
    "value_tier",
    "abc_class",
    "order_value_group",
    "net_revenue_12m",
    "lifecycle_stage",
    "activity_status",
    "interaction_band",
    "cycle_band",
    "loyalty_band",
    "relationship_tier",
    "to_activate",
    "spend_band",
    "frequency_band",
    "margin_band",
)


@dataclass(frozen=True)
class DataSet:
    """A published warehouse, the file that it was built in, and the facts from its raw files."""

    warehouse: duckdb.DuckDBPyConnection
    build: duckdb.DuckDBPyConnection
    facts: Facts
    newest: Customers

    def month_ends(self) -> list[datetime.date]:
        rows = self.warehouse.execute("""
            select distinct as_of_date from customer_segments_history order by as_of_date
        """).fetchall()
        return [day for (day,) in rows]


def facts_of(name: str, home: Warehouse) -> Facts:
    if name == "complete_journey":
        return customers_by_hand.facts_of_complete_journey(SHARED_DATA / "complete_journey")
    if name == "online_retail":
        (path,) = (home.landing / "online_retail" / "invoice_lines").glob("*.csv*")
        return customers_by_hand.facts_of_online_retail(online_retail_by_hand.compute(path))
    return customers_by_hand.facts_of_shop(shop_by_hand.compute(home.landing))


@pytest.fixture(
    scope="module",
    params=[
        "sample_shop",
        "online_retail",
        pytest.param("rough_shop", marks=pytest.mark.slow),
        pytest.param("complete_journey", marks=pytest.mark.slow),
    ],
)
def data_set(request: pytest.FixtureRequest) -> Iterator[DataSet]:
    home = request.getfixturevalue(request.param)
    facts = facts_of(request.param, home)
    with home.connect() as connection, home.build() as build:
        yield DataSet(connection, build, facts, compute(facts, facts.newest))


@pytest.mark.parametrize("table", ["rfm", "value", "engagement", "lifecycle"])
def test_every_customer_and_every_column_at_the_newest_as_of(data_set, table):
    mine = getattr(data_set.newest, table)
    columns = next(iter(mine.values()))
    name = f"customer_{table}"
    days_of_table = data_set.warehouse.execute(f"select distinct as_of_date from {name}").fetchall()
    assert days_of_table == [(data_set.facts.newest,)]
    found = published(data_set.warehouse, name, "customer_id", *columns)
    assert not differences(mine, found, tolerance=TOLERANCE)


def test_the_wide_table_repeats_every_code(data_set):
    codes = [name for name in HISTORY if name != "net_revenue_12m"]
    mine = {
        who: {name: row[name] for name in codes} for who, row in data_set.newest.all_columns.items()
    }
    assert not differences(
        mine, published(data_set.warehouse, "customer_segments", "customer_id", *codes)
    )


@pytest.mark.parametrize("place", [0.25, 0.6, 1])
def test_every_customer_and_every_code_at_month_ends(data_set, place):
    """One early, one in the middle, the last; money too, and who existed."""
    ends = data_set.month_ends()
    day = ends[round(place * (len(ends) - 1))]
    mine = {
        who: {name: row[name] for name in HISTORY}
        for who, row in compute(data_set.facts, day).all_columns.items()
    }
    data_set.warehouse.execute(f"""
        create or replace temp view month_end as
        select * from customer_segments_history where as_of_date = date '{day}'
    """)
    assert not differences(
        mine, published(data_set.warehouse, "month_end", "customer_id", *HISTORY)
    )


@pytest.mark.parametrize("place", [0, -4, -2, -1])
def test_every_customer_has_the_same_history_and_formula(data_set, place):
    """The newest as-of, the month-end before it, one of a quarter ago and the oldest."""
    days_built = data_set.build.execute("""
        select as_of_date from intermediate.int_as_of_dates order by as_of_date
    """).fetchall()
    (day,) = days_built[place]
    mine = formula_rows(data_set.facts, day)
    data_set.build.execute(f"""
        create or replace temp view formulas as
        select * from intermediate.int_customers__clv_formula where as_of_date = date '{day}'
    """)
    columns = next(iter(mine.values()))
    found = published(data_set.build, "formulas", "customer_id", *columns)
    assert not differences(mine, found)


def test_what_rests_on_the_forecast_follows_from_it(data_set):
    """Potential, composite score and service tier, from the published clv_predicted."""
    told = published(data_set.warehouse, "customer_clv", "customer_id", "clv_predicted")
    mine = customers_by_hand.forecast_rows(
        data_set.newest, {who: row["clv_predicted"] for who, row in told.items()}
    )
    tiers = {who: {"service_tier": row.pop("service_tier")} for who, row in mine.items()}
    columns = next(iter(mine.values()))
    found = published(data_set.warehouse, "customer_value", "customer_id", *columns)
    assert not differences(mine, found)
    found = published(data_set.warehouse, "customer_segments", "customer_id", "service_tier")
    assert not differences(tiers, found)


def test_every_change_of_stage_between_month_ends(data_set):
    ends = data_set.month_ends()
    stages = {day: customers_by_hand.stages(data_set.facts, day) for day in ends}
    rows = data_set.warehouse.execute("""
        select as_of_date, customer_id, from_stage, to_stage, days_in_former_stage
        from lifecycle_transitions
    """).fetchall()
    found = {
        row[:2]: {"from_stage": row[2], "to_stage": row[3], "days_in_former_stage": row[4]}
        for row in rows
    }
    assert len(found) == len(rows)
    assert not differences(transitions(stages), found)


def test_shops_meet_every_stage_and_every_band(data_set, request):
    """A comparison proves nothing about a rule that no row meets."""
    name = request.node.callspec.params["data_set"]
    if name not in ("sample_shop", "rough_shop"):
        pytest.skip("the real files hold no interactions")
    days_seen = [data_set.facts.newest, *data_set.month_ends()[-12::6]]
    rows = [row for day in days_seen for row in compute(data_set.facts, day).all_columns.values()]

    def values(column: str) -> set[object]:
        return {row[column] for row in rows}

    three = {"high", "mid", "low"}
    assert values("lifecycle_stage") == STAGES
    assert values("activity_status") == {"active", "silent", "lapsed", "no_order"}
    assert values("interaction_band") == three
    assert values("cycle_band") == {"short", "mid", "long", "unknown"}
    assert values("loyalty_band") == {*three, "unknown"}
    assert values("relationship_tier") == {"loyal", "neutral", "distant", "unknown"}
    assert values("to_activate") == {True, False}
    assert max(row["open_ticket_count"] for row in rows) > 1
    answers = values("nps_answer") - {None}
    assert min(answers) <= 6 and max(answers) >= 9
