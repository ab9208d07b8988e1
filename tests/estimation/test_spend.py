"""Gamma-Gamma, the mean to fall back on, and the correlation that the former assumes away."""

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr

from estimation import fits, spend
from tests.estimation.simulate import CDNOW_SPEND


def spenders(seed, size, parameters=CDNOW_SPEND):
    rng = np.random.default_rng(seed)
    x = rng.geometric(0.4, size).astype(float)
    rate = rng.gamma(parameters["q"], 1 / parameters["v"], size)
    return x, rng.gamma(parameters["p"] * x, 1 / (x * rate))


@pytest.mark.parametrize(("x", "z"), [(1, 20.0), (3, 4.5), (12, 60.0)])
def test_likelihood_and_expectation_are_the_integrals_they_stand_for(x, z):
    p, q, v = (mp.mpf(CDNOW_SPEND[name]) for name in ("p", "q", "v"))

    def joint(rate):  # of the customer's rate and the mean of its x orders
        prior = rate ** (q - 1) * mp.exp(-v * rate) * v**q / mp.gamma(q)
        shape = p * x
        mean = (rate * x) ** shape * z ** (shape - 1) * mp.exp(-rate * x * z) / mp.gamma(shape)
        return prior * mean

    edges = [0, 0.05, 0.2, 0.5, 1, 2, 5, mp.inf]
    likelihood = mp.quad(joint, edges)
    worth = mp.quad(lambda rate: joint(rate) * p / rate, edges) / likelihood
    got = spend.log_likelihood(CDNOW_SPEND, x, z)[0]
    assert got == pytest.approx(float(mp.log(likelihood)), rel=1e-8)
    assert spend.expected_spend(CDNOW_SPEND, x, z)[0] == pytest.approx(float(worth), rel=1e-8)


@settings(max_examples=60, deadline=None)
@given(
    logs=st.tuples(st.floats(-2, 5), st.floats(-2, 4), st.floats(-3, 8)),
    x=st.sampled_from([1, 2, 9, 200]),
    z=st.floats(0.01, 1e5),
)
def test_gradient_is_the_finite_difference(logs, x, z):
    parameters = dict(zip("pqv", map(float, np.exp(logs)), strict=True))
    gradient = spend.log_likelihood_gradient(parameters, x, z)[:, 0]
    size = 1 + abs(spend.log_likelihood(parameters, x, z)[0])
    size += parameters["p"] * x * (1 + abs(np.log(z)))
    for name, slope in zip("pqv", gradient, strict=True):
        value, step = parameters[name], 1e-5
        up, down = (
            spend.log_likelihood({**parameters, name: value * np.exp(way)}, x, z)[0]
            for way in (step, -step)
        )
        assert slope * value == pytest.approx((up - down) / (2 * step), rel=1e-5, abs=1e-8 * size)


def test_a_fit_recovers_the_process_that_made_the_data():
    x, z = spenders(4, 50_000)
    found = spend.fit_spend(x, z)
    assert found.model == "gamma_gamma"
    assert found.is_usable
    assert found.reason == ""
    slopes = spend.log_likelihood_gradient(CDNOW_SPEND, x, z)
    errors = np.sqrt(np.diag(np.linalg.inv(slopes @ slopes.T)))  # standard errors
    for (name, true), error in zip(CDNOW_SPEND.items(), errors, strict=True):
        assert error < 0.05 * true
        assert found.parameters[name] == pytest.approx(true, abs=4 * error)


def test_groups_and_currencies_change_nothing_but_the_unit():
    x, z = spenders(4, 2000)
    z = np.rint(z / 5) * 5 + 2.5  # coarse, so that there are groups
    one_by_one = spend.fit_gamma_gamma(x, z)
    groups, weight = np.unique(np.stack([x, z]), axis=1, return_counts=True)
    grouped = spend.fit_gamma_gamma(*groups, weight)
    assert grouped.customers == 2000
    assert grouped.groups == weight.size < 500
    assert grouped.parameters == pytest.approx(one_by_one.parameters, rel=1e-4)
    in_yen = spend.fit_gamma_gamma(x, 160 * z).parameters
    expected = {**one_by_one.parameters, "v": 160 * one_by_one.parameters["v"]}
    assert in_yen == pytest.approx(expected, rel=1e-4)


def test_the_log_likelihood_of_a_fit_is_that_of_its_parameters():
    x, z = spenders(8, 2000)
    found = spend.fit_gamma_gamma(x, z)
    assert found.log_likelihood == pytest.approx(
        spend.log_likelihood(found.parameters, x, z).sum(), rel=1e-12
    )


def test_expected_spend_lies_between_the_customers_mean_and_everybodys():
    everybody = 6.25 * 15.44 / 2.744  # p v / (q - 1)
    got = spend.expected_spend(CDNOW_SPEND, [0, 1, 5, 20_000], [0, 60, 60, 60])
    assert got[0] == pytest.approx(everybody)
    assert everybody < got[1] < got[2] < got[3] < 60
    assert got[3] == pytest.approx(60, rel=1e-4)
    # 6.25 (15.44 + 1 x 60) / (6.25 + 3.744 - 1)
    assert got[1] == pytest.approx(471.5 / 8.994)
    # Three days that brought nothing in, or less: 6.25 (15.44 + 0) / (3 x 6.25 + 3.744 - 1).
    poor = spend.expected_spend(CDNOW_SPEND, [3, 3], [-5, 0])
    assert poor == pytest.approx([96.5 / 21.494] * 2)


def test_a_mean_of_margins_below_zero_is_left_out_and_counted():
    x, z = spenders(9, 1000)
    loss = np.arange(1000) < 40
    found = spend.fit_gamma_gamma(x, np.where(loss, -z, z))
    assert found.customers == 960
    assert found.is_usable
    assert found.reason == "40 customers without positive spend left out"
    assert found.parameters == pytest.approx(
        spend.fit_gamma_gamma(x[~loss], z[~loss]).parameters, rel=1e-6
    )


def test_everybody_alike_has_the_plain_mean_and_says_why():
    found = spend.fit_spend(np.arange(1, 101), np.full(100, 25.0))
    assert found.model == "mean_spend"
    assert found.is_usable
    assert found.parameters == {"mean": 25.0}
    assert found.reason == "no gamma_gamma (insufficient_evidence): all customers spend alike"


def test_too_few_repeat_buyers_have_the_mean_of_their_orders():
    found = spend.fit_spend([0, 1, 3], [0, 10, 30])
    assert found.model == "mean_spend"
    assert found.parameters["mean"] == pytest.approx((1 * 10 + 3 * 30) / 4)
    assert "2 repeat buyers with positive spend, 30 wanted" in found.reason
    expected = spend.expected_spend(found.parameters, [0, 3], [0, 30])
    assert expected == pytest.approx([25, 25])


@pytest.mark.parametrize(
    ("x", "z"),
    [([], []), ([0], [0]), (np.zeros(90), np.zeros(90)), (np.ones(90), np.full(90, -3.0))],
    ids=["nobody", "one customer", "no repeat buyer", "losses only"],
)
def test_without_any_spend_there_is_no_model_but_a_result(x, z):
    found = spend.fit_spend(x, z)
    assert found.status == fits.INSUFFICIENT_EVIDENCE
    assert found.parameters == {}
    assert not found.is_usable
    assert spend.correlation(x, z) == {"pearson": None, "spearman": None}


def test_spend_without_a_mean_is_not_used():
    # Between customers q = 0.6: the mean of spend over customers is infinite.
    x, z = spenders(6, 5000, {"p": 8.0, "q": 0.6, "v": 1.0})
    rich = spend.fit_gamma_gamma(x, z)
    assert rich.status == fits.CONVERGED
    assert rich.parameters["q"] < 1
    assert not rich.is_usable
    assert "q <= 1" in rich.reason
    plain = spend.fit_spend(x, z)
    assert plain.model == "mean_spend"
    assert "q <= 1" in plain.reason
    with pytest.raises(ValueError, match="no mean"):
        spend.expected_spend(rich.parameters, x, z)


def test_a_wholesaler_of_20_000_orders_does_not_break_the_fit():
    x, z = spenders(10, 3000)
    clean = spend.fit_gamma_gamma(x, z).parameters
    x[0], z[0] = 20_000, 900.0
    found = spend.fit_gamma_gamma(x, z)
    assert found.is_usable
    assert found.parameters == pytest.approx(clean, rel=0.2)


def test_correlation_counts_a_group_as_its_customers():
    x, z, weight = np.array([1, 1, 2, 5]), np.array([10, 20, 20, 50.0]), np.array([3, 1, 2, 4])
    each_x, each_z = np.repeat(x, weight), np.repeat(z, weight)
    told = spend.correlation(x, z, weight)
    assert told["pearson"] == pytest.approx(np.corrcoef(each_x, each_z)[0, 1])
    assert told["spearman"] == pytest.approx(spearmanr(each_x, each_z).statistic)
    assert spend.correlation([2, 2], [1, 5]) == {"pearson": None, "spearman": None}
