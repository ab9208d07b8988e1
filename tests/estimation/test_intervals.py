"""Quantiles of the spend to come, against customers simulated one by one."""

import time

import numpy as np
import pytest
from scipy.stats import betaprime

from estimation import backtests, orders
from estimation.intervals import spend_quantiles
from tests.estimation.simulate import (
    CDNOW_BGNBD,
    CDNOW_MBGNBD,
    CDNOW_NBD,
    CDNOW_SPEND,
    histories,
)

LEVELS = np.array([0.02, 0.1, 0.25, 0.5, 0.75, 0.9, 0.98])
FREQUENT = {"r": 4.0, "alpha": 2.0, "a": 0.6, "b": 20.0}
YEAR = 365 / 7


def living(seed, model, parameters, x, age, horizon, size=100_000):
    """Return orders and spend, in multiples of v + x z, of customers who are alive at the age."""
    rng = np.random.default_rng(seed)
    rate = rng.gamma(parameters["r"] + x, 1 / (parameters["alpha"] + age), size)
    count = rng.poisson(rate * horizon)
    if model != "nbd":
        last = parameters["b"] + x + (model == "mbgnbd")
        count = np.minimum(count, rng.geometric(rng.beta(parameters["a"], last, size)))
    spent = rng.gamma(np.maximum(CDNOW_SPEND["p"] * count, 1e-300))
    spent /= rng.gamma(CDNOW_SPEND["q"] + CDNOW_SPEND["p"] * x, 1, size)
    return count, np.where(count > 0, spent, 0.0)


@pytest.mark.parametrize(
    ("model", "parameters", "x", "age"),
    [
        ("bgnbd", CDNOW_BGNBD, 0, 0.0),
        ("bgnbd", CDNOW_BGNBD, 3, 30.0),
        ("mbgnbd", CDNOW_MBGNBD, 1, 60.0),
        ("mbgnbd", CDNOW_MBGNBD, 12, 20.0),
        ("nbd", CDNOW_NBD, 2, 30.0),
        ("bgnbd", FREQUENT, 90, 50.0),
        ("mbgnbd", CDNOW_MBGNBD, 600, 150.0),
        ("bgnbd", CDNOW_BGNBD, 20_000, 150.0),
        ("nbd", CDNOW_NBD, 20_000, 150.0),
    ],
)
def test_a_quantile_is_exceeded_as_often_as_it_says(model, parameters, x, age):
    count, spent = living(41, model, parameters, x, age, YEAR)
    told = spend_quantiles(model, parameters, "gamma_gamma", CDNOW_SPEND, x, age, YEAR, LEVELS)[0]
    # Three standard errors of the simulation.
    below = (spent[:, None] <= told).mean(axis=0)
    assert below == pytest.approx(np.maximum(LEVELS, np.mean(count == 0)), abs=0.005)
    assert np.all((told == 0) == (np.mean(count == 0) >= LEVELS))


@pytest.mark.parametrize("model", ["bgnbd", "mbgnbd", "nbd"])
@pytest.mark.parametrize(("x", "age"), [(0, 10.0), (5, 20.0), (300, 100.0)])
def test_with_a_plain_mean_quantiles_are_numbers_of_orders(model, x, age):
    parameters = {"bgnbd": CDNOW_BGNBD, "mbgnbd": CDNOW_MBGNBD, "nbd": CDNOW_NBD}[model]
    told = spend_quantiles(model, parameters, "mean_spend", {"mean": 9.0}, x, age, YEAR, LEVELS)[0]
    chance = orders.order_count_probabilities(model, parameters, x, age, YEAR, 2000)[0]
    expected = [np.flatnonzero(chance.cumsum() >= level)[0] for level in LEVELS]
    assert told.tolist() == expected


def test_without_variation_in_orders_it_is_the_beta_prime_itself():
    # a = 1e9: whoever orders leaves at once, so N is 0 or 1.
    parameters = {"r": 1.0, "alpha": 1.0, "a": 1e9, "b": 1.0}
    told = spend_quantiles(
        "bgnbd", parameters, "gamma_gamma", CDNOW_SPEND, 0, 0, 99.0, [0.005, 0.5, 0.9]
    )[0]
    assert told[0] == 0  # P(N = 0) is 1 / 100
    one = betaprime(CDNOW_SPEND["p"], CDNOW_SPEND["q"])
    assert told[1:] == pytest.approx(one.ppf([(0.5 - 0.01) / 0.99, (0.9 - 0.01) / 0.99]), rel=1e-3)


@pytest.mark.parametrize("model", ["bgnbd", "mbgnbd"])
def test_the_interval_holds_in_every_bucket(model):
    parameters = {"bgnbd": CDNOW_BGNBD, "mbgnbd": CDNOW_MBGNBD}[model]
    rng = np.random.default_rng(51)
    age = np.rint(rng.uniform(0, 80, 60_000))
    x, recency, _, later = histories(rng, model, parameters, age, YEAR)
    p, q, v = (CDNOW_SPEND[name] for name in "pqv")
    rate = rng.gamma(q, 1 / v, x.size)
    z = np.where(x > 0, rng.gamma(np.maximum(p * x, 1e-300)) / rate / np.maximum(x, 1), 0)
    spent = np.where(later > 0, rng.gamma(np.maximum(p * later, 1e-300)) / rate, 0)

    alive = orders.p_alive(model, parameters, x, recency, age)
    pairs, place = np.unique(np.stack([x, age]), axis=1, return_inverse=True)
    grid = np.linspace(0.005, 0.995, 199)
    quantiles = spend_quantiles(model, parameters, "gamma_gamma", CDNOW_SPEND, *pairs, YEAR, grid)
    bounds = []
    for level in (0.1, 0.9):
        given_alive = (level - (1 - alive)) / alive
        bounds.append(
            [
                scale * np.interp(u, grid, row) if u > 0 else 0.0
                for u, row, scale in zip(given_alive, quantiles[place], v + x * z, strict=True)
            ]
        )
    lower, upper = map(np.array, bounds)
    told = orders.expected_orders(model, parameters, x, recency, age, YEAR)
    for bucket in (backtests.frequency_bucket(x), backtests.deciles(told)):
        for name in set(bucket):
            inside = np.array(bucket) == name
            # Bounds above zero are passed as often as they say, within four standard errors; a
            # bound at zero by fewer.
            for bound, expected in ((lower, 0.9), (upper, 0.1)):
                assert np.mean(spent[inside] > bound[inside]) < expected + _error(inside.sum())
                sure = inside & (bound > 0)
                if sure.any():
                    exceeded = np.mean(spent[sure] > bound[sure])
                    assert exceeded == pytest.approx(expected, abs=_error(sure.sum()))


def _error(size):
    return 4 * 0.3 / np.sqrt(size)


def test_no_time_left_is_no_spend_and_nobody_is_no_row():
    for spend_model, parameters in (("gamma_gamma", CDNOW_SPEND), ("mean_spend", {"mean": 3})):
        told = spend_quantiles(
            "bgnbd", CDNOW_BGNBD, spend_model, parameters, [0, 7], [0, 9], 0, LEVELS
        )
        assert told.tolist() == [[0.0] * LEVELS.size] * 2
        nobody = spend_quantiles(
            "bgnbd", CDNOW_BGNBD, spend_model, parameters, [], [], YEAR, LEVELS
        )
        assert nobody.shape == (0, LEVELS.size)


def test_the_narrow_spend_of_a_wholesaler_is_resolved_at_every_level():
    # Five years of 20,000 orders in three: the whole spend lies within a few percent.
    _, spent = living(44, "bgnbd", CDNOW_BGNBD, 20_000, 150.0, 260.0, size=500_000)
    models = ("bgnbd", CDNOW_BGNBD, "gamma_gamma", CDNOW_SPEND)
    levels = np.linspace(0.01, 0.99, 99)
    told = spend_quantiles(*models, 20_000, 150.0, 260.0, levels)[0]
    below = np.searchsorted(np.sort(spent), told, side="right") / spent.size
    assert below == pytest.approx(levels, abs=0.0045)


def test_a_million_orders_are_good_to_a_third_of_a_percent():
    count, spent = living(43, "nbd", CDNOW_NBD, 1_000_000, 150.0, YEAR)
    models = ("nbd", CDNOW_NBD, "gamma_gamma", CDNOW_SPEND)
    told = spend_quantiles(*models, 1_000_000, 150.0, YEAR, LEVELS)[0]
    assert count.min() > 300_000
    assert told == pytest.approx(np.quantile(spent, LEVELS), rel=0.0033)


def test_quantiles_rise_with_the_level_and_fall_with_age():
    age = np.array([1.0, 10, 40, 150])
    for model, parameters in (("bgnbd", CDNOW_BGNBD), ("nbd", CDNOW_NBD)):
        told = spend_quantiles(
            model, parameters, "gamma_gamma", CDNOW_SPEND, np.full(4, 4.0), age, YEAR, LEVELS
        )
        assert np.all(np.diff(told, axis=1) >= 0)
        assert np.all(np.diff(told, axis=0) <= 0)


def test_customers_together_have_the_quantiles_that_each_has_alone():
    x, age = np.array([0.0, 4, 4, 0, 4]), np.array([5.0, 60, 2, 90, 20])
    models = ("bgnbd", CDNOW_BGNBD, "gamma_gamma", CDNOW_SPEND)
    together = spend_quantiles(*models, x, age, YEAR, LEVELS)
    for row, (count, weeks) in zip(together, zip(x, age, strict=True), strict=True):
        alone = spend_quantiles(*models, count, weeks, YEAR, LEVELS)[0]
        assert row == pytest.approx(alone, rel=0.01)


def test_seventy_thousand_pairs_take_seconds():
    rng = np.random.default_rng(1)
    x = np.minimum(rng.geometric(0.1, 70_000) - 1.0, 100)
    age = rng.uniform(x / 3, x + 200)
    start = time.process_time()
    spend_quantiles(
        "bgnbd", CDNOW_BGNBD, "gamma_gamma", CDNOW_SPEND, x, age, YEAR, np.linspace(0.01, 0.99, 50)
    )
    assert time.process_time() - start < 30


def test_what_cannot_be_is_refused():
    with pytest.raises(ValueError, match="levels"):
        spend_quantiles("bgnbd", CDNOW_BGNBD, "gamma_gamma", CDNOW_SPEND, 0, 0, 1, [0, 0.5])
    with pytest.raises(ValueError, match="unknown model"):
        spend_quantiles("bgnbd", CDNOW_BGNBD, "log_normal", CDNOW_SPEND, 0, 0, 1, [0.5])
