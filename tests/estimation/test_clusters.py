"""Clusters against what was planted, what was counted pair by pair, and what was drawn on paper."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score, silhouette_score

from estimation import clusters
from estimation.clusters import Fit, agreement, align, fit, name, quality, rand_index
from tests.rules import seed

RFM = ("recency", "frequency", "monetary")
ALL = (*RFM, "interactions")
# Middles in logs, far apart against a spread of 0.1.
PLANTED = {
    3: [(1, 3, 8), (3, 2, 6), (5, 1, 4)],
    4: [(1, 3, 8), (1, 1, 4), (5, 3, 8), (5, 1, 4)],
    5: [(1, 3, 8), (1, 1, 4), (5, 3, 8), (5, 1, 4), (3, 2, 6)],
}


def blobs(number: int, customers: int = 300, spread: float = 0.1) -> tuple[np.ndarray, np.ndarray]:
    """Return the values of customers around planted middles, and who was planted around which."""
    generator = np.random.default_rng(7)
    planted = generator.integers(number, size=customers)
    logs = np.array(PLANTED[number])[planted] + generator.normal(0, spread, (customers, 3))
    return np.expm1(np.maximum(logs, 0)), planted


def cloud(customers: int = 400, measures: int = 3) -> np.ndarray:
    """Return values without any clusters in them."""
    return np.expm1(np.abs(np.random.default_rng(5).normal(3, 1, (customers, measures))))


def made(centroids: list[list[float]], mean=0.0, deviation=1.0, measures=RFM) -> Fit:
    """Return a fit with the given figures."""
    ones = np.ones(len(measures))
    return Fit(tuple(measures), ones * mean, ones * deviation, np.array(centroids, float), 0.5)


# ---- Fitting -------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", PLANTED)
def test_planted_clusters_are_found_and_their_number_too(number: int):
    values, planted = blobs(number)
    found = fit(values, RFM)
    assert found.clusters == number
    assert pairs_index(found.assign(values), planted) == 1
    middles = found.centroids * found.deviation + found.mean
    logs = np.log(1 + values)
    for cluster in range(number):
        of_it = logs[found.assign(values) == cluster]
        assert middles[cluster] == pytest.approx(of_it.mean(axis=0), abs=1e-9)


def test_clusters_stand_by_money_then_orders_then_freshness():
    order = clusters.ranked(np.array([[0, 0, 1], [0, 0, 2], [0, 1, 1], [-1, 0, 1]]), RFM)
    assert order.tolist() == [1, 2, 3, 0]
    values, _ = blobs(4)
    money = fit(values, RFM).centroids[:, 2]
    assert (np.diff(money) < 0.1).all()


def test_the_fit_is_that_of_scikit_learn_on_standardised_logs():
    values = cloud()
    logs = np.log1p(values)
    points = (logs - logs.mean(axis=0)) / logs.std(axis=0)
    for number in (3, 4, 5):
        model = KMeans(number, n_init=25, random_state=1).fit(points)
        found = fit(values, RFM, [number])
        assert found.mean == pytest.approx(logs.mean(axis=0))
        assert found.deviation == pytest.approx(logs.std(axis=0))
        inertia = ((points - found.centroids[found.assign(values)]) ** 2).sum()
        assert inertia <= model.inertia_ * 1.01
        expected = silhouette_score(points, found.assign(values))
        assert found.silhouette == pytest.approx(expected, abs=1e-12)


def test_the_number_has_the_best_silhouette_or_is_the_fewest_as_good():
    values = cloud()
    silhouettes = {k: fit(values, RFM, [k]).silhouette for k in (3, 4, 5)}
    enough = max(silhouettes.values()) - 0.01
    expected = min(k for k, each in silhouettes.items() if each >= enough)
    assert fit(values, RFM).clusters == expected
    assert fit(values, RFM, range(4, 6)).clusters in (4, 5)


def test_the_same_customers_give_the_same_figures():
    values = cloud(5000, 4)
    one, other = (fit(values.copy(), ALL) for _ in range(2))
    assert one.centroids.tobytes() == other.centroids.tobytes()
    assert one.silhouette == other.silhouette
    assert clusters.repeatability(values, one) == clusters.repeatability(values, other)


def test_units_do_not_matter_but_order_of_columns_is_kept():
    values, _ = blobs(3)
    swapped = fit(values[:, ::-1], RFM[::-1])
    found = fit(values, RFM)
    assert swapped.centroids[:, ::-1] == pytest.approx(found.centroids)


# ---- Little or nothing to fit --------------------------------------------------------------------


@pytest.mark.parametrize(
    "values",
    [
        [],
        [[1, 1, 1]],
        [[1, 1, 1], [2, 2, 2]],
        [[10, 2, 30]] * 50,
        [[10, 2, 30]] * 50 + [[20, 2, 30]] * 50,
    ],
    ids=["nobody", "one", "two", "all alike", "two kinds"],
)
def test_fewer_than_three_kinds_of_customers_have_no_clusters(values: list):
    found = fit(np.array(values, float), RFM)
    assert found.clusters == 0
    assert np.isfinite(found.mean).all() and (found.deviation > 0).all()
    figures = [*clusters.figures(found)]
    assert {cluster for cluster, _, _ in figures} == {0}
    values = np.array(values, float).reshape(-1, 3)
    said = [*quality(values, found, [], ["a"] * len(values))]
    assert said == [(0, "sampled_customers", len(values)), (0, "clusters", 0)]


def test_three_kinds_of_customers_are_three_clusters():
    kinds = np.array([[1.0, 9, 900], [10, 2, 30], [300, 1, 3]])
    values = np.repeat(kinds, 40, axis=0)
    found = fit(values, RFM)
    assert found.clusters == 3
    assert found.silhouette == pytest.approx(1)
    assert found.assign(kinds).tolist() == [0, 1, 2]
    assert agreement(found.assign(values), np.repeat([0, 1, 2], 40)) == 1
    # Three customers, each alone: no silhouette, but clusters.
    alone = fit(kinds, RFM)
    assert (alone.clusters, alone.silhouette) == (3, 0)
    assert clusters.repeatability(kinds, alone) is None


def test_a_constant_measure_changes_nothing():
    values, planted = blobs(4)
    constant = np.column_stack([values, np.full(len(values), 3.3)])
    found, without = fit(constant, ALL), fit(values, RFM)
    assert found.deviation[3] == 1 and found.mean[3] == np.log1p(3.3)
    assert found.centroids[:, 3] == pytest.approx(0)
    assert found.centroids[:, :3] == pytest.approx(without.centroids)
    assert pairs_index(found.assign(constant), planted) == 1


def test_who_bought_nothing_on_day_zero_is_a_customer_like_any():
    values, _ = blobs(3)
    values[:5] = 0
    assert fit(values, RFM).clusters >= 3


@pytest.mark.parametrize("bad", [np.nan, np.inf, -1.0])
def test_a_value_that_no_logarithm_takes_is_refused(bad: float):
    values, _ = blobs(3)
    values[3, 1] = bad
    with pytest.raises(ValueError, match="finite and not negative"):
        fit(values, RFM)


# ---- Comparing -----------------------------------------------------------------------------------


def pairs_index(one, other) -> float:
    """Return the adjusted Rand index by looking at every pair, as Hubert and Arabie define it."""
    pairs = list(itertools.combinations(range(len(one)), 2))
    both = sum(one[i] == one[j] and other[i] == other[j] for i, j in pairs)
    first, second = (sum(each[i] == each[j] for i, j in pairs) for each in (one, other))
    expected = first * second / len(pairs)
    most = (first + second) / 2
    return 1.0 if most == expected else (both - expected) / (most - expected)


LABELS = st.integers(2, 30).flatmap(
    lambda size: st.tuples(
        *(st.lists(st.integers(0, 4), min_size=size, max_size=size).map(np.array) for _ in "ab")
    )
)


@given(LABELS)
@settings(max_examples=200, deadline=None)
def test_the_rand_index_counts_pairs(labels: tuple[np.ndarray, np.ndarray]):
    one, other = labels
    expected = pairs_index(one, other)
    assert rand_index(one, other) == pytest.approx(expected, abs=1e-12)
    assert rand_index(one, other) == pytest.approx(adjusted_rand_score(one, other), abs=1e-12)
    assert rand_index(other, one) == pytest.approx(expected, abs=1e-12)


@given(LABELS)
@settings(max_examples=50, deadline=None)
def test_the_agreement_is_that_of_the_best_renaming(labels: tuple[np.ndarray, np.ndarray]):
    one, other = labels
    best = max(
        np.mean([renamed[label] for label in one] == other)
        for renamed in itertools.permutations(range(5))
    )
    assert agreement(one, other) == pytest.approx(best)


def test_clusters_of_far_blobs_repeat_and_those_of_a_cloud_do_so_less():
    values, _ = blobs(4)
    assert clusters.repeatability(values, fit(values, RFM)) == clusters.Repeatability(1, 1)
    values = cloud(200)
    found = clusters.repeatability(values, fit(values, RFM, [5]))
    assert 0.3 < found.agreement < 0.95
    assert found.rand_index < found.agreement


# ---- Aligning and naming -------------------------------------------------------------------------


def test_clusters_are_aligned_by_the_least_sum_of_distances():
    """On one line: 0, 1, 10 against 9, 1.1, 0.9. By themselves 0 and 1 would both take 0.9 or 1.1;
    together 0 takes 0.9 and 1 takes 1.1 (0.81 + 0.01 = 0.82, the other way 1.21 + 0.01 = 1.22)."""
    one = made([[0], [1], [10]], measures=("monetary",))
    other = made([[9], [1.1], [0.9]], measures=("monetary",))
    assert align(one, other) == [2, 1, 0]


def test_alignment_compares_money_and_not_deviations():
    """In logs the former clusters lie at 10 + 2 x (1, 0, -1) = 12, 10, 8, the new ones at 8, 10,
    12 - 1 x (0, 1, 2) below 12."""
    former = made([[1], [0], [-1]], mean=10, deviation=2, measures=("monetary",))
    new = made([[-4], [-2], [0]], mean=12, deviation=1, measures=("monetary",))
    assert align(new, former) == [2, 1, 0]


def test_alignment_of_other_numbers_leaves_some_without_a_former_and_ends_others():
    three = made([[0, 0, 2], [0, 0, 0], [0, 0, -2]])
    four = made([[0, 0, 2.1], [0, 0, 0.9], [0, 0, 0.1], [0, 0, -2]])
    assert align(four, three) == [0, None, 1, 2]
    assert align(three, four) == [0, 2, 3]


def test_alignment_looks_at_what_both_know():
    fed = made([[0, 0, 1, 5], [0, 0, -1, -5]], measures=ALL)
    unfed = made([[0, 0, -1.1], [0, 0, 1.1]])
    assert align(fed, unfed) == [1, 0]
    assert align(unfed, fed) == [1, 0]


def test_each_cluster_gets_another_name_and_together_they_fit_best():
    """Both clusters are nearest to `middle`; the second has the other name nearer."""
    places = {"middle": {"monetary": 0}, "high": {"monetary": 3}, "far": {"monetary": 9}}
    found = made([[1.4], [0.2]], measures=("monetary",))
    assert name(found, places) == ["high", "middle"]
    assert name(made(np.empty((0, 1)), measures=("monetary",)), places) == []
    with pytest.raises(ValueError, match="2 clusters and 1 names"):
        name(found, {"middle": {"monetary": 0}})


def prototypes() -> dict[str, dict[str, float]]:
    return {
        row["cluster_name"]: {measure: float(row[measure]) for measure in RFM}
        for row in seed("cluster_names")
    }


def test_the_names_of_the_seed_are_got_by_who_lies_there_and_are_enough():
    places = prototypes()
    most = [row["value"] for row in seed("settings") if row["setting"] == "maximum_clusters"]
    assert len(places) >= max(map(int, most))
    for label, middle in places.items():
        others = [places[other] for other in places if other != label][:2]
        rows = [[each[measure] for measure in RFM] for each in (middle, *others)]
        assert name(made(rows), places)[0] == label
    # Interactions name nobody.
    row = [[*places["core"].values(), 9.0]]
    assert name(made(row, measures=ALL), places) == ["core"]


def test_no_two_names_of_the_seed_lie_close_together():
    places = [np.array(list(each.values())) for each in prototypes().values()]
    assert min(np.linalg.norm(a - b) for a, b in itertools.combinations(places, 2)) > 0.8


# ---- What is said of a fit -----------------------------------------------------------------------


def test_figures_are_enough_to_assign_anybody():
    values = cloud()
    found = fit(values, RFM)
    figures = {(cluster, measure): value for cluster, measure, value in clusters.figures(found)}
    for row in values[:50]:
        distances = [
            sum(
                (
                    (np.log(1 + value) - figures[0, f"mean_{measure}"])
                    / figures[0, f"deviation_{measure}"]
                    - figures[cluster, f"centroid_{measure}"]
                )
                ** 2
                for value, measure in zip(row, RFM, strict=True)
            )
            for cluster in range(1, found.clusters + 1)
        ]
        assert found.assign(row[None, :])[0] == int(np.argmin(distances))


def test_quality_compares_with_the_headline_and_the_former_fit():
    values, planted = blobs(3)
    found = fit(values, RFM)
    former = made(found.centroids[::-1].tolist())
    former = Fit(RFM, found.mean, found.deviation, former.centroids, 0.4)
    names = ["core", "light", "fading"]
    said = {
        (cluster, measure): value
        for cluster, measure, value in quality(
            values, found, names, planted.astype(str), (former, ["fading", "average", "core"])
        )
    }
    assert said[0, "sampled_customers"] == 300 and said[0, "clusters"] == 3
    for what in ("halves", "headline", "previous"):
        assert said[0, f"{what}_agreement"] == said[0, f"{what}_rand_index"] == 1
    assert [said[cluster, "previous_rank"] for cluster in (1, 2, 3)] == [3, 2, 1]
    # The middle one was called otherwise.
    middle = np.mean(found.assign(values) == 1)
    assert said[0, "previous_names_kept"] == pytest.approx(1 - middle)


def test_a_former_fit_by_a_measure_that_is_fed_no_more_is_not_compared():
    values, planted = blobs(3)
    found = fit(values, RFM)
    former = made([[0, 0, 0, 0], [1, 1, 1, 1], [2, 2, 2, 2]], measures=ALL)
    former_names = ["core", "light", "fading"]
    said = quality(values, found, former_names, planted, (former, former_names))
    assert not [measure for _, measure, _ in said if measure.startswith("previous")]
    # The other way round it is, by what it knows.
    wide = np.column_stack([values, values[:, 0]])
    said = quality(wide, fit(wide, ALL), former_names, planted, (found, former_names))
    assert ("previous_agreement", 1) in [(measure, value) for _, measure, value in said]
