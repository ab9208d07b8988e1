"""Groups of equal customers and the cap on resellers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimation import orders
from estimation.grouping import group_by_week_where_many, winsorise
from tests.estimation.simulate import CDNOW_BGNBD, histories


def test_few_groups_are_exact_days():
    x, recency, age, weight = group_by_week_where_many(
        [1, 0, 1, 1], [10, 0, 10, 11], [50, 50, 50, 50], [2, 5, 1, 1]
    )
    rows = np.stack([x, recency * 7, age * 7, weight]).T
    assert rows == pytest.approx(
        np.array([[0, 0, 50, 5], [1, 10, 50, 3], [1, 11, 50, 1]], dtype=float)
    )


def test_many_groups_are_rounded_weeks():
    # 10 and 11 days are 1.43 and 1.57 weeks, 50 days 7.14.
    x, recency, age, weight = group_by_week_where_many(
        [1, 0, 1, 1], [10, 0, 9, 11], [50, 50, 50, 50], largest_groups=3
    )
    rows = np.stack([x, recency, age, weight]).T
    assert rows.tolist() == [[0, 0, 7, 1], [1, 1, 7, 2], [1, 2, 7, 1]]


@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.integers(0, 60), st.integers(0, 60), st.integers(1, 9)),
        max_size=40,
    ),
    st.sampled_from([1, 300_000]),
)
def test_no_customer_is_lost_and_no_last_order_is_later_than_today(customers, largest):
    columns = np.array(customers, float).reshape(-1, 4).T
    x, recency, since, weight = columns
    grouped = group_by_week_where_many(x, recency, recency + since, weight, largest)
    assert grouped[3].sum() == weight.sum()
    assert (grouped[0] * grouped[3]).sum() == (x * weight).sum()
    assert np.all(grouped[1] <= grouped[2])
    assert np.unique(np.stack(grouped[:3]), axis=1).shape[1] == grouped[3].size


def test_rounded_weeks_estimate_what_days_do_and_floored_ones_do_not():
    rng = np.random.default_rng(17)
    age = rng.integers(190, 274, 20_000)
    x, recency, _, _ = histories(rng, "bgnbd", CDNOW_BGNBD, age / 7)
    days = np.floor(recency * 7)
    exact = orders.fit("bgnbd", *group_by_week_where_many(x, days, age)).parameters["alpha"]
    weekly = group_by_week_where_many(x, days, age, largest_groups=1)
    assert orders.fit("bgnbd", *weekly).parameters["alpha"] == pytest.approx(exact, rel=0.02)
    floored = orders.fit("bgnbd", x, days // 7, age // 7).parameters["alpha"]
    assert floored < 0.95 * exact


def test_the_top_customers_in_a_thousand_are_capped_at_the_next():
    x = np.arange(2000.0)
    capped, count = winsorise(x)
    assert count == 2
    assert capped.max() == 1997
    assert np.array_equal(capped[:1998], x[:1998])


def test_the_one_reseller_of_a_small_shop_is_capped():
    capped, count = winsorise([0, 3, 20_000, 1], [50, 20, 1, 100])
    assert count == 1
    assert capped.tolist() == [0, 3, 3, 1]


def test_groups_are_capped_as_the_customers_they_stand_for():
    x, weight = np.array([0, 1, 2, 9, 40]), np.array([1500, 400, 95, 4, 1])
    capped, count = winsorise(x, weight)  # 2 of 2000 stand aside: the cap is 9
    assert (capped.max(), count) == (9, 1)
    each, each_count = winsorise(np.repeat(x, weight))
    assert np.array_equal(np.repeat(capped, weight), each)
    assert each_count == count


@pytest.mark.parametrize("x", [[], [7], [2, 2, 2]], ids=["nobody", "one customer", "all alike"])
def test_where_nobody_stands_out_nobody_is_capped(x):
    capped, count = winsorise(x)
    assert capped.tolist() == x
    assert count == 0


def test_a_whole_share_caps_nobody():
    assert winsorise([1, 2, 900], share=1)[1] == 0
    with pytest.raises(ValueError, match="share"):
        winsorise([1], share=0)
