"""The published figures of the CDNOW sample, from its exact statistics."""

import numpy as np
import pytest

from estimation import backtests, orders, spend
from tests.estimation.cdnow import FILE, customers

pytestmark = pytest.mark.skipif(not FILE.exists(), reason=f"the CDNOW sample is not at {FILE}")

HOLDOUT = 39.0
BUCKETS = ["0", "1", "2", "3", "4", "5", "6", "7+"]


def to_three_digits(value: float) -> float:
    return float(f"{value:.3g}")


def fitted(model: str) -> dict[str, float]:
    x, recency, age, *_ = customers()
    return orders.fit(model, x, recency, age).parameters


def test_the_sample_is_the_published_one():
    x, *_, later, _ = customers()
    assert x.size == 2357
    assert np.count_nonzero(x) == 946
    assert later.sum() == 1882


@pytest.mark.parametrize(
    ("model", "published"),
    [
        ("bgnbd", {"r": 0.243, "alpha": 4.41, "a": 0.793, "b": 2.43}),
        ("mbgnbd", {"r": 0.525, "alpha": 6.18, "a": 0.891, "b": 1.61}),
    ],
)
def test_the_order_models_have_the_published_parameters(model, published):
    x, recency, age, *_ = customers()
    found = orders.fit(model, x, recency, age)
    assert found.is_usable, found.reason
    assert {name: to_three_digits(value) for name, value in found.parameters.items()} == published
    if model == "bgnbd":
        assert found.log_likelihood == pytest.approx(-9582.429, abs=0.05)


def test_gamma_gamma_has_the_published_parameters():
    x, _, _, mean_spend, *_ = customers()
    found = spend.fit_gamma_gamma(x, mean_spend)
    assert found.is_usable, found.reason
    assert found.customers == 946
    got = {name: to_three_digits(value) for name, value in found.parameters.items()}
    assert got == {"p": 6.25, "q": 3.74, "v": 15.4}
    assert found.log_likelihood == pytest.approx(-4055.918, abs=0.05)


def test_gamma_gamma_is_right_to_the_digits_computed_elsewhere():
    x, _, _, mean_spend, *_ = customers()
    parameters = spend.fit_gamma_gamma(x, mean_spend).parameters
    expected = {"p": 6.2496, "q": 3.7442, "v": 15.4435}
    assert parameters == pytest.approx(expected, rel=2e-5)


def test_one_customer_is_alive_and_orders_as_published():
    customer = (2, 30.43, 38.86)
    parameters = fitted("bgnbd")
    assert orders.p_alive("bgnbd", parameters, *customer)[0] == pytest.approx(0.72661, abs=5e-6)
    ordered = orders.expected_orders("bgnbd", parameters, *customer, HOLDOUT)[0]
    assert ordered == pytest.approx(1.22591, abs=5e-6)


def test_the_holdout_is_forecast_as_published():
    x, recency, age, _, later, _ = customers()
    told = orders.expected_orders("bgnbd", fitted("bgnbd"), x, recency, age, HOLDOUT)
    assert told.sum() == pytest.approx(1653.4, abs=0.05)
    assert backtests.aggregate_ratio(later, told) == pytest.approx(1 - 0.121, abs=5e-4)
    assert backtests.mae(later, told) == pytest.approx(0.785, abs=5e-4)
    assert backtests.rmse(later, told) == pytest.approx(1.608, abs=5e-4)

    rows = backtests.accuracy(later, told, x)
    actual = [row.value for row in rows if row.measure == "frequency_actual"]
    predicted = [row.value for row in rows if row.measure == "frequency_predicted"]
    assert [row.bucket for row in rows if row.measure == "frequency_actual"] == BUCKETS
    assert actual == pytest.approx(
        [0.237, 0.697, 1.393, 1.560, 2.532, 2.947, 3.862, 6.359], abs=5.1e-4
    )
    assert predicted == pytest.approx(
        [0.225, 0.523, 1.044, 1.520, 2.164, 2.654, 3.504, 6.157], abs=5.1e-4
    )


def test_the_model_beats_the_naive_rate_and_the_modified_one_wins():
    x, recency, age, _, later, _ = customers()
    naive = backtests.naive_rate(x, age, HOLDOUT)
    naive_scores = backtests.aggregate_ratio(later, naive), backtests.mae(later, naive)
    assert naive_scores == pytest.approx((1.557, 1.024), abs=5e-4)
    error = {}
    for model in ("bgnbd", "mbgnbd"):
        told = orders.expected_orders(model, fitted(model), x, recency, age, HOLDOUT)
        error[model] = backtests.mae(later, told)
        ratio = backtests.aggregate_ratio(later, told)
        assert abs(np.log(ratio)) < abs(np.log(naive_scores[0]))
        assert error[model] < naive_scores[1]
    assert error["mbgnbd"] < error["bgnbd"]


def test_frequency_and_spend_are_correlated_by_as_much_as_pandas_says():
    pandas = pytest.importorskip("pandas")
    x, _, _, mean_spend, *_ = customers()
    kept = (x > 0) & (mean_spend > 0)
    frame = pandas.DataFrame({"x": x[kept], "z": mean_spend[kept]})
    told = spend.correlation(x, mean_spend)
    for kind in ("pearson", "spearman"):
        assert told[kind] == pytest.approx(frame.corr(kind).loc["x", "z"], abs=1e-12)
