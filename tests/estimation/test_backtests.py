"""Measures worked out by hand, the rule for the winner and the gate."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from estimation import backtests
from estimation.backtests import Measured


def of(rows, measure):
    return {row.bucket: row.value for row in rows if row.measure == measure}


def test_the_measures_of_four_customers():
    actual, predicted = [0, 1, 2, 5], [1, 1, 3, 2]
    assert backtests.aggregate_ratio(actual, predicted) == pytest.approx(7 / 8)
    assert backtests.mae(actual, predicted) == pytest.approx((1 + 0 + 1 + 3) / 4)
    assert backtests.rmse(actual, predicted) == pytest.approx(np.sqrt((1 + 0 + 1 + 9) / 4))


def test_accuracy_by_frequency_and_by_decile():
    frequency = [0, 0, 2, 6, 7, 31]
    rows = backtests.accuracy([0, 2, 1, 4, 5, 9], [1, 1, 2, 3, 6, 8], frequency)
    assert of(rows, "customers") == {"all": 6}
    assert of(rows, "frequency_customers") == {"0": 2, "2": 1, "6": 1, "7+": 2}
    assert of(rows, "frequency_actual") == {"0": 1, "2": 1, "6": 4, "7+": 7}
    assert of(rows, "frequency_predicted") == {"0": 1, "2": 2, "6": 3, "7+": 7}
    # Shares strictly below: 0, 0, 2/6, 3/6, 4/6, 5/6.
    assert of(rows, "decile_actual") == {"1": 1, "4": 1, "6": 4, "7": 5, "9": 9}
    assert of(rows, "decile_predicted") == {"1": 1, "4": 2, "6": 3, "7": 6, "9": 8}


def test_equal_predictions_share_a_decile():
    assert backtests.deciles(np.arange(20))[:4] == ["1", "1", "2", "2"]
    assert set(backtests.deciles(np.arange(1000))) == {str(n) for n in range(1, 11)}
    assert backtests.deciles([0] * 7 + [1] * 3) == ["1"] * 7 + ["8"] * 3
    assert backtests.deciles([4, 4, 4]) == ["1"] * 3


def test_spearman_is_scipys():
    rng = np.random.default_rng(1)
    actual, predicted = rng.poisson(1, 300), rng.poisson(3, 300)
    got = backtests.spearman(actual, predicted)
    assert got == pytest.approx(spearmanr(actual, predicted).statistic)
    assert backtests.spearman([1, 2, 3], [10, 20, 90]) == pytest.approx(1)


def test_the_best_tenth_holds_its_share_of_what_came():
    actual = [6, 4, 0, 0, 0, 0, 0, 0, 0, 0, 2]
    predicted = [9, 8, 1, 1, 1, 1, 1, 1, 1, 1, 1]
    # ceil(11 / 10) = 2 customers, who hold 10 of 12.
    assert backtests.top_decile_capture(actual, predicted) == pytest.approx(10 / 12)
    # One place for four equals: a quarter of what they hold.
    assert backtests.top_decile_capture([4, 0, 2, 2], [5, 5, 5, 5]) == pytest.approx(1 / 4)
    # 20 customers, two places: one clearly best, three tied for the other place.
    actual, predicted = np.zeros(20), np.zeros(20)
    actual[:4], predicted[:4] = [5, 3, 0, 0], [9, 7, 7, 7]
    assert backtests.top_decile_capture(actual, predicted) == pytest.approx((5 + 3 / 3) / 8)


def test_coverage_is_told_where_it_fails():
    rows = backtests.coverage(
        actual=[0, 5, 10, 10],
        lower=[0, 0, 11, 10],
        upper=[0, 5, 20, 10],
        frequency=[0, 0, 9, 9],
        predicted=[1, 1, 2, 2],
    )
    assert rows == [
        Measured("coverage", "all", 0.75),
        Measured("frequency_coverage", "0", 1.0),
        Measured("frequency_coverage", "7+", 0.5),
        Measured("decile_coverage", "1", 1.0),
        Measured("decile_coverage", "6", 0.5),
    ]


def test_every_measure_is_defined_for_nobody():
    assert backtests.accuracy([], [], []) == [
        Measured("customers", "all", 0.0),
        *(
            Measured(measure, "all", None)
            for measure in ("aggregate_ratio", "mae", "rmse", "spearman", "top_decile_capture")
        ),
    ]
    assert backtests.coverage([], [], [], [], []) == [Measured("coverage", "all", None)]
    assert backtests.mean_rate([], [], 12).size == 0
    assert backtests.naive_rate([], [], 12).size == 0


def test_where_nothing_came_there_is_no_ratio_but_an_error():
    rows = backtests.accuracy([0, 0], [1, 3], [0, 1])
    assert of(rows, "aggregate_ratio") == {"all": None}
    assert of(rows, "top_decile_capture") == {"all": None}
    assert of(rows, "spearman") == {"all": None}
    assert of(rows, "mae") == {"all": 2}


def test_one_customer_has_measures():
    rows = backtests.accuracy([2], [1], [3])
    assert of(rows, "mae") == {"all": 1}
    assert of(rows, "top_decile_capture") == {"all": 1}
    assert of(rows, "spearman") == {"all": None}


def test_the_baselines():
    assert backtests.naive_rate([0, 4, 0], [0, 8, 5], 52).tolist() == [0, 26, 0]
    assert backtests.mean_rate([0, 4, 0], [0, 8, 5], 26) == pytest.approx([8, 8, 8])
    assert backtests.mean_rate([0], [0], 26).tolist() == [0]


def test_columns_of_unequal_length_are_refused():
    with pytest.raises(ValueError, match="one length"):
        backtests.mae([1, 2], [1])
    with pytest.raises(ValueError, match="one length"):
        backtests.accuracy([1, 2], [1, 2], [1])
