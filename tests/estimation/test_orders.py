"""Likelihood, P(alive) and fits of the order models."""

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimation import fits, orders
from estimation.fits import maximise
from estimation.grouping import winsorise
from tests.estimation.simulate import CDNOW_BGNBD, CDNOW_MBGNBD, CDNOW_NBD, histories

MODELS = {"bgnbd": CDNOW_BGNBD, "mbgnbd": CDNOW_MBGNBD, "nbd": CDNOW_NBD}


def by_integration(model, parameters, x, recency, age):
    """Return likelihood and the part of it that is alive, integrated over rate and dropout.

    Given both, an order has density rate e^(-rate wait), and the silence at the end is survived
    alive or was begun by dropping out. Over the gamma and the beta distribution, numerically.
    """
    r, alpha = mp.mpf(parameters["r"]), mp.mpf(parameters["alpha"])

    def over_rate(weeks):
        def density(log):
            rate = mp.exp(log)
            return rate ** (r + x) * mp.exp(-rate * (alpha + weeks)) * alpha**r / mp.gamma(r)

        return mp.quad(density, [-160, -40, -15, -5, -2, 0, 2, 5])

    if model == "nbd":
        return over_rate(age), over_rate(age)
    a, b = mp.mpf(parameters["a"]), mp.mpf(parameters["b"])

    def over_dropout(power, last):
        def density(p):
            return p ** (a - 1 + last) * (1 - p) ** (b - 1 + power) / mp.beta(a, b)

        return mp.quad(density, [0, 0.01, 0.5, 0.99, 1])

    chances = x + (model == "mbgnbd")
    alive = over_rate(age) * over_dropout(chances, 0)
    dropped = over_rate(recency) * over_dropout(chances - 1, 1) if chances else 0
    return alive + dropped, alive


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(
    "customer", [(0, 0, 38.86), (1, 20.0, 20.0), (2, 30.43, 38.86), (7, 9, 30)]
)
def test_likelihood_and_p_alive_are_the_integrals_they_stand_for(model, customer):
    parameters = MODELS[model]
    likelihood, alive = by_integration(model, parameters, *customer)
    got = orders.log_likelihood(model, parameters, *customer)[0]
    assert got == pytest.approx(float(mp.log(likelihood)), rel=1e-8)
    got = orders.p_alive(model, parameters, *customer)[0]
    assert got == pytest.approx(float(alive / likelihood), rel=1e-7)


def test_a_one_time_buyer_is_alive_for_certain_in_the_bgnbd_only():
    customer = (0, 0, 300.0)
    assert orders.p_alive("bgnbd", CDNOW_BGNBD, *customer) == 1
    assert orders.p_alive("nbd", CDNOW_NBD, *customer) == 1
    # 1 / (1 + a/b ((alpha+T)/alpha)^r): the chance to drop out came with the first order.
    odds = 0.891 / 1.614 * (306.183 / 6.183) ** 0.525
    assert orders.p_alive("mbgnbd", CDNOW_MBGNBD, *customer) == pytest.approx(1 / (1 + odds))


@settings(max_examples=60, deadline=None)
@given(
    model=st.sampled_from(list(MODELS)),
    logs=st.lists(st.floats(-3, 4), min_size=4, max_size=4),
    x=st.sampled_from([0, 1, 2, 5, 40, 250]),
    share=st.floats(0, 1),
    age=st.floats(0, 260),
)
def test_gradient_is_the_finite_difference(model, logs, x, share, age):
    names = list(MODELS[model])
    parameters = {name: float(np.exp(log)) for name, log in zip(names, logs, strict=False)}
    customer = (x, share * age if x else 0.0, age)
    gradient = orders.log_likelihood_gradient(model, parameters, *customer)[:, 0]
    size = 1 + abs(orders.log_likelihood(model, parameters, *customer)[0])
    for name, slope in zip(names, gradient, strict=True):
        step = 1e-5  # of the logarithm
        value = parameters[name]
        up, down = (
            orders.log_likelihood(model, {**parameters, name: value * np.exp(way)}, *customer)[0]
            for way in (step, -step)
        )
        assert slope * value == pytest.approx((up - down) / (2 * step), rel=1e-5, abs=1e-8 * size)


@pytest.mark.parametrize("model", MODELS)
def test_a_fit_recovers_the_process_that_made_the_data(model):
    rng = np.random.default_rng(11)
    age = rng.uniform(10, 150, 30_000)
    x, recency, _, _ = histories(rng, model, MODELS[model], age)
    found = orders.fit(model, x, recency, age)
    assert found.is_usable, found.reason
    assert found.customers == found.groups == 30_000
    slopes = orders.log_likelihood_gradient(model, MODELS[model], x, recency, age)
    errors = np.sqrt(np.diag(np.linalg.inv(slopes @ slopes.T)))  # standard errors
    for (name, true), error in zip(MODELS[model].items(), errors, strict=True):
        assert error < 0.1 * true
        assert found.parameters[name] == pytest.approx(true, abs=4 * error)


@pytest.mark.parametrize("model", MODELS)
def test_groups_with_weights_are_the_customers_they_stand_for(model):
    rng = np.random.default_rng(5)
    age = np.rint(rng.uniform(10, 60, 3000))
    x, recency, _, _ = histories(rng, model, MODELS[model], age)
    rows = np.stack([x, np.floor(recency), age])
    groups, weight = np.unique(rows, axis=1, return_counts=True)
    assert weight.size < 2500
    one_by_one, grouped = orders.fit(model, *rows), orders.fit(model, *groups, weight)
    assert grouped.customers == one_by_one.customers == 3000
    assert grouped.groups == weight.size
    assert grouped.log_likelihood == pytest.approx(one_by_one.log_likelihood, rel=1e-10)
    assert grouped.parameters == pytest.approx(one_by_one.parameters, rel=1e-4)


@pytest.mark.parametrize("model", ["bgnbd", "mbgnbd"])
def test_where_nobody_drops_out_the_nbd_is_fitted_and_says_so(model):
    rng = np.random.default_rng(7)
    age = rng.uniform(50, 150, 5000)
    truth = {"r": 2.0, "alpha": 10.0}
    x, recency, _, _ = histories(rng, "nbd", truth, age)
    found = orders.fit(model, x, recency, age)
    assert found.model == "nbd"
    assert found.is_usable
    assert found.reason.startswith(f"no dropout in the {model}")
    assert found.parameters == pytest.approx(truth, rel=0.1)


def test_parameters_at_a_bound_are_no_fit():
    # Everybody orders once again after a week and never more: certain dropout, b -> 0 or a -> oo.
    age = np.linspace(50, 90, 200)
    x, recency = np.ones(200), np.ones(200)
    found = orders.fit("bgnbd", x, recency, age)
    assert found.status == fits.AT_BOUND
    assert not found.is_usable
    assert "bound" in found.reason


@pytest.mark.parametrize(
    ("truth", "bound"),
    [
        ({"r": 0.5, "alpha": 4.0, "a": 3e5, "b": 7e5}, "b at its upper bound"),
        ({"r": 2e5, "alpha": 8e5, "a": 0.8, "b": 2.0}, "r at its upper bound"),
    ],
    ids=["one dropout probability", "one rate"],
)
def test_customers_alike_in_one_respect_are_told_by_the_bound(truth, bound):
    rng = np.random.default_rng(1)
    age = rng.uniform(50, 100, 3000)
    x, recency, _, _ = histories(rng, "bgnbd", truth, age)
    found = orders.fit("bgnbd", x, recency, age)
    assert (found.model, found.status) == ("bgnbd", fits.AT_BOUND)
    assert bound in found.reason


@settings(max_examples=40, deadline=None)
@given(
    model=st.sampled_from(list(MODELS)),
    customers=st.lists(
        st.tuples(
            st.sampled_from([0, 0, 1, 2, 30, 20_000]),
            st.floats(0, 1),
            st.floats(0, 300),
            st.integers(0, 50),
        ),
        max_size=12,
    ),
)
def test_whatever_the_customers_there_is_a_result(model, customers):
    x, share, age, weight = np.array(customers, float).reshape(-1, 4).T
    recency = np.where(x > 0, share * age, 0.0)
    found = orders.fit(model, x, recency, age, weight, minimum_repeat_buyers=1)
    known = {fits.CONVERGED, fits.AT_BOUND, fits.NOT_CONVERGED, fits.INSUFFICIENT_EVIDENCE}
    assert found.status in known
    assert found.is_usable or found.reason
    if found.is_usable:
        told = orders.expected_orders(found.model, found.parameters, x, recency, age, 52)
        assert np.all(told >= 0)
        assert np.all(np.isfinite(told))


def test_a_solver_that_stops_on_a_slope_has_not_converged():
    def uphill(parameters):  # the gradient points the wrong way: no step of the solver climbs
        return -100 * float(np.log(parameters[0]) ** 2), np.array([200.0])

    found = maximise("any", uphill, {"r": (1e-3, 1e3)}, [[3.0]], 100, 100)
    assert found.status == fits.NOT_CONVERGED
    assert "slope" in found.reason
    assert not found.is_usable


def test_a_later_start_is_tried_where_the_first_ends_badly():
    def two_hills(parameters):  # in u = ln r: flat ground to the left, a hill at u = 3
        u = np.log(parameters[0])
        hill = np.exp(-((u - 3) ** 2))
        return 100 * (hill - 1e-3 * u), np.array(
            [100 * (-2 * (u - 3) * hill - 1e-3) / parameters[0]]
        )

    found = maximise("any", two_hills, {"r": (1e-6, 1e6)}, [[1e-3], [10.0]], 100, 100)
    assert found.status == fits.CONVERGED
    assert np.log(found.parameters["r"]) == pytest.approx(3, abs=1e-3)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        (([], [], []), "0 repeat buyers"),
        (([0], [0], [10]), "0 repeat buyers"),
        (([3], [5], [10]), "1 repeat buyers"),
        ((np.zeros(500), np.zeros(500), np.arange(500)), "0 repeat buyers"),
        ((np.full(500, 2), np.full(500, 5.0), np.full(500, 9.0)), "alike"),
    ],
    ids=["nobody", "one customer", "one repeat buyer", "no repeat buyer", "everybody alike"],
)
def test_too_little_evidence_has_a_defined_result(model, columns, reason):
    found = orders.fit(model, *columns)
    assert found.status == fits.INSUFFICIENT_EVIDENCE
    assert reason in found.reason
    assert found.parameters == {}
    assert not found.is_usable


def test_a_wholesaler_is_fitted_with_and_told_by_winsorising():
    rng = np.random.default_rng(3)
    age = rng.uniform(20, 150, 20_000)
    x, recency, _, _ = histories(rng, "bgnbd", CDNOW_BGNBD, age)
    clean = orders.fit("bgnbd", x, recency, age)
    x[0], recency[0], age[0] = 20_000, 149.0, 150.0
    raw = orders.fit("bgnbd", x, recency, age)
    capped, count = winsorise(x)
    robust = orders.fit("bgnbd", capped, recency, age)
    assert 1 <= count <= 20
    assert capped.max() == np.sort(x)[-21]
    assert raw.status == robust.status == fits.CONVERGED
    assert raw.parameters["alpha"] < 0.85 * clean.parameters["alpha"]
    assert robust.parameters["alpha"] == pytest.approx(clean.parameters["alpha"], rel=0.06)
    alive = orders.p_alive("bgnbd", robust.parameters, 20_000, 149.0, 150.0)
    told = orders.expected_orders("bgnbd", robust.parameters, 20_000, 149.0, 150.0, 52)
    assert 0 <= alive[0] <= 1
    assert np.isfinite(told[0])


def test_what_cannot_be_is_refused():
    with pytest.raises(ValueError, match="unknown model"):
        orders.fit("pareto", [1], [1], [2])
    with pytest.raises(ValueError, match="recency <= age"):
        orders.fit("bgnbd", [1], [3], [2])
    with pytest.raises(ValueError, match="weight"):
        orders.fit("bgnbd", [1], [1], [2], [-1])


def test_groups_of_nobody_count_for_nothing():
    rng = np.random.default_rng(2)
    age = rng.uniform(10, 60, 1000)
    x, recency, _, _ = histories(rng, "bgnbd", CDNOW_BGNBD, age)
    weight = np.ones(1000)
    weight[::2] = 0
    with_nobody = orders.fit("bgnbd", x, recency, age, weight)
    without = orders.fit("bgnbd", x[1::2], recency[1::2], age[1::2])
    assert with_nobody.parameters == pytest.approx(without.parameters, rel=1e-6)
    assert (with_nobody.customers, with_nobody.groups) == (without.customers, without.groups)
