"""Orders expected of a living customer, and the chance of each number of them."""

import time

import mpmath as mp
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from estimation import orders
from estimation.counts import at_least, future
from estimation.expectation import _by_integral
from tests.estimation.simulate import CDNOW_BGNBD, CDNOW_MBGNBD, CDNOW_NBD, histories

MODELS = {"bgnbd": CDNOW_BGNBD, "mbgnbd": CDNOW_MBGNBD, "nbd": CDNOW_NBD}
PRECISION = 1e-9


def exactly(model, parameters, x, age, horizon, textbook=False):
    """Return the closed form in 80 digits; a removable pole is stepped around by 1e-30.

    In the textbook's hypergeometric function, or in Euler's, which mpmath sums at x = 20,000 too.
    """
    with mp.workdps(80):
        r, alpha, a, b = (mp.mpf(parameters[name]) for name in ("r", "alpha", "a", "b"))
        a += mp.mpf(10) ** -30
        shape, old, last = r + x, alpha + mp.mpf(age), b + x + (model == "mbgnbd")
        z, c = horizon / (old + horizon), a + last - 1
        if textbook:
            stays = (1 - z) ** shape * mp.hyp2f1(shape, last, c, z)
        else:
            stays = (1 - z) ** (a - 1) * mp.hyp2f1(a - 1, c - shape, c, z)
        return float(c / (a - 1) * (1 - stays))


logarithm_of_r = st.floats(np.log(1e-3), np.log(50))
near_one = st.sampled_from([1, 1 + 1e-12, 1 - 1e-12, 1 - 1e-9, 1 + 1e-7, 1 - 1e-6, 1.001, 0.999])
dropout_a = near_one | st.floats(np.log(1e-2), np.log(30)).map(lambda u: float(np.exp(u)))


@settings(max_examples=400, deadline=None)
@given(
    model=st.sampled_from(["bgnbd", "mbgnbd"]),
    r=logarithm_of_r.map(lambda u: float(np.exp(u))),
    alpha=st.floats(np.log(0.05), np.log(200)).map(lambda u: float(np.exp(u))),
    a=dropout_a,
    b=st.floats(np.log(1e-2), np.log(100)).map(lambda u: float(np.exp(u))),
    x=st.sampled_from([0, 0, 1, 2, 3, 10, 100, 250, 300, 2000, 20_000]),
    age=st.just(0.0) | st.floats(0, 520),
    horizon=st.integers(1, 260),
)
@example("bgnbd", 0.243, 4.414, 0.793, 2.426, 0, 0.0, 1)
@example("bgnbd", 0.243, 4.414, 0.793, 2.426, 0, 0.0, 260)
@example("bgnbd", 0.243, 4.414, 1.0, 2.426, 20_000, 150.0, 260)
@example("bgnbd", 0.243, 4.414, 1 - 1e-7, 2.426, 250, 50.0, 52)
@example("bgnbd", 0.1, 0.05, 0.5, 0.5, 0, 0.0, 260)  # a + b = 1: the other removable pole
@example("mbgnbd", 5.0, 4.0, 0.3, 0.2, 0, 0.0, 260)
def test_expected_orders_are_right_to_nine_digits(model, r, alpha, a, b, x, age, horizon):
    parameters = {"r": r, "alpha": alpha, "a": a, "b": b}
    got = orders.orders_if_alive(model, parameters, x, age, horizon)[0]
    assert got == pytest.approx(exactly(model, parameters, x, age, horizon), rel=PRECISION)


@pytest.mark.parametrize("x", [0, 1, 7, 30])
@pytest.mark.parametrize("horizon", [1, 52, 260])
def test_the_textbook_form_says_the_same(x, horizon):
    for model in ("bgnbd", "mbgnbd"):
        expected = exactly(model, MODELS[model], x, 39.0, horizon, textbook=True)
        got = orders.orders_if_alive(model, MODELS[model], x, 39.0, horizon)[0]
        assert got == pytest.approx(expected, rel=PRECISION)


@pytest.mark.parametrize("z", [0.79, 0.81])
def test_series_and_integral_meet_at_their_border(z):
    horizon = 4.414 * z / (1 - z)
    series_or_not = orders.orders_if_alive("bgnbd", CDNOW_BGNBD, 0, 0, horizon)[0]
    integral = _by_integral(0.793, 2.426, 0.243, np.array([z / (1 - z)]))[0]
    assert series_or_not == pytest.approx(integral, rel=1e-11)


def test_wide_parameters_are_integrated_against_quadrature():
    # Strong dropout, a = 8792: too much for mpmath's hypergeometric function.
    parameters = {"r": 0.675, "alpha": 5.6, "a": 8792.0, "b": 7463.0}
    shape, last, ratio = 2.675, 7465.0, 104.6 / (5.6 + 67.2)
    with mp.workdps(40):
        mean = mp.mpf(8792) / (8792 + 7465)

        def density(p):
            return p**8790 * (1 - p) ** (last - 1) / mp.beta(8792, last)

        expected = mp.quad(
            lambda p: density(p) * (1 - (1 + p * ratio) ** -shape),
            [mean + k / 100 for k in range(-5, 6)],
        )
    got = orders.orders_if_alive("bgnbd", parameters, 2, 67.2, 104.6)[0]
    assert got == pytest.approx(float(expected), rel=PRECISION)


def test_without_dropout_orders_come_at_the_mean_rate():
    got = orders.orders_if_alive("nbd", CDNOW_NBD, [0, 5], [0, 20], 52)
    assert got == pytest.approx([0.385 / 12.072 * 52, 5.385 / 32.072 * 52])
    assert orders.orders_if_alive("bgnbd", CDNOW_BGNBD, 3, 20, 0) == 0


def test_almost_no_dropout_is_the_nbd():
    almost = {"r": 0.385, "alpha": 12.072, "a": 1e-9, "b": 2.0}
    got = orders.orders_if_alive("bgnbd", almost, [0, 5, 20_000], [0, 20, 150], 52)
    nbd = orders.orders_if_alive("nbd", CDNOW_NBD, [0, 5, 20_000], [0, 20, 150], 52)
    assert got == pytest.approx(nbd, rel=1e-6)


@pytest.mark.parametrize("model", MODELS)
def test_a_simulated_population_orders_as_expected(model):
    rng = np.random.default_rng(21)
    age = rng.uniform(0, 60, 100_000)
    x, recency, alive, later = histories(rng, model, MODELS[model], age, horizon=52.0)
    told = orders.expected_orders(model, MODELS[model], x, recency, age, 52.0)
    living = orders.p_alive(model, MODELS[model], x, recency, age)
    for inside in (x == 0, (x > 0) & (x < 4), x >= 4):
        error = 4 * later[inside].std() / np.sqrt(inside.sum())
        assert later[inside].mean() == pytest.approx(told[inside].mean(), abs=error)
        assert alive[inside].mean() == pytest.approx(living[inside].mean(), abs=0.01)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("x", [0, 4])
def test_the_chance_of_each_number_is_what_simulation_counts(model, x):
    rng = np.random.default_rng(31)
    size = 200_000
    parameters = MODELS[model]
    count = rng.poisson(rng.gamma(parameters["r"] + x, 52 / (parameters["alpha"] + 30), size))
    if model != "nbd":
        last = parameters["b"] + x + (model == "mbgnbd")
        count = np.minimum(count, rng.geometric(rng.beta(parameters["a"], last, size)))
    told = orders.order_count_probabilities(model, parameters, x, 30, 52, 12)[0]
    share = np.bincount(count, minlength=13)[:13] / size
    assert told == pytest.approx(share, abs=0.005)


@pytest.mark.parametrize("model", MODELS)
def test_the_chances_add_up_to_one_and_to_the_expectation(model):
    x, age = np.array([0, 0, 3, 40]), np.array([0, 50, 10, 60])
    chance = orders.order_count_probabilities(model, MODELS[model], x, age, 26, 1500)
    n = np.arange(1501)
    assert chance.sum(axis=1) == pytest.approx(1, abs=1e-9)
    expected = orders.orders_if_alive(model, MODELS[model], x, age, 26)
    assert chance @ n == pytest.approx(expected, rel=1e-8)
    _, _, ratio = future(MODELS[model], x, age, 26)
    reached = at_least(model, MODELS[model], x[:, None], ratio[:, None], n[None, :20])
    assert reached == pytest.approx(chance[:, ::-1].cumsum(axis=1)[:, ::-1][:, :20], abs=1e-9)


def test_discounting_counts_each_step_from_its_middle():
    # The NBD orders evenly: 12 twelfths, each at 1.1 to the minus (its middle in years).
    year = 365 / 7
    whole = orders.orders_if_alive("nbd", CDNOW_NBD, 5, 20, year)[0]
    worth = sum(1.1 ** -((month + 0.5) / 12) for month in range(12)) / 12
    got = orders.discounted_orders_if_alive("nbd", CDNOW_NBD, 5, 20, year)[0]
    assert got == pytest.approx(whole * worth, rel=1e-12)
    # With dropout the orders come earlier, and are worth more each.
    whole = orders.orders_if_alive("bgnbd", CDNOW_BGNBD, 5, 20, year)[0]
    got = orders.discounted_orders_if_alive("bgnbd", CDNOW_BGNBD, 5, 20, year)[0]
    assert worth < got / whole < 1
    none = orders.discounted_orders_if_alive("bgnbd", CDNOW_BGNBD, 5, 20, year, yearly_discount=0)
    assert none[0] == pytest.approx(whole, rel=1e-12)


def test_seventy_thousand_customers_take_seconds():
    rng = np.random.default_rng(1)
    x = rng.geometric(0.1, 70_000) - 1.0
    age = rng.uniform(x, x + 200)
    start = time.process_time()
    orders.discounted_orders_if_alive("bgnbd", CDNOW_BGNBD, x, age, 365 / 7)
    assert time.process_time() - start < 10


def test_nobody_is_expected_to_order_nothing():
    nobody = np.array([])
    assert orders.orders_if_alive("bgnbd", CDNOW_BGNBD, nobody, nobody, 52).shape == (0,)
    with pytest.raises(ValueError, match=">= 0"):
        orders.orders_if_alive("bgnbd", CDNOW_BGNBD, -1, 0, 52)
    with pytest.raises(ValueError, match="unknown model"):
        orders.orders_if_alive("pareto", CDNOW_BGNBD, 1, 0, 52)
