"""K-means clusters of customers: fitted, named, compared with other fits.

Measures come as an array (customers, measures) of values that are not negative and never missing;
their logarithms are standardised. A fit is its figures: mean and standard deviation of each logged
measure and the centroids in standard deviations, so that whoever knows them can assign anybody.
Nothing here depends on another fit: the same customers in the same order give the same figures.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist
from sklearn.cluster import KMeans
from threadpoolctl import threadpool_limits

SEED = 20260630
# Starts of k-means, of which the tightest is taken (Arthur and Vassilvitskii 2007, k-means++).
STARTS = 10
# Silhouettes compare everybody with everybody; of so many customers they are right to about 0.01,
# so that no difference smaller than that is worth another number of clusters.
SILHOUETTE_CUSTOMERS = 2000
SILHOUETTE_PRECISION = 0.01
# Splits into halves that the agreement is the mean of.
SPLITS = 5

Array = np.ndarray


@dataclass(frozen=True)
class Fit:
    """The figures of a fit, by which anybody can be assigned.

    Attributes:
        measures: names of the measures, in the order of the columns.
        mean: (measures,) mean of log(1 + measure).
        deviation: (measures,) its standard deviation; 1 where everybody is alike.
        centroids: (clusters, measures) in standard deviations, best first; no row where there
            was too little to fit.
        silhouette: mean silhouette of the clusters, -1 to 1; nan without clusters.
    """

    measures: tuple[str, ...]
    mean: Array
    deviation: Array
    centroids: Array
    silhouette: float

    @property
    def clusters(self) -> int:
        """How many clusters there are; 0 where there was too little to fit."""
        return len(self.centroids)

    def standardise(self, values: Array) -> Array:
        """Return values (customers, measures) as standard deviations from the mean."""
        return (_logs(values) - self.mean) / self.deviation

    def assign(self, values: Array) -> Array:
        """Return the nearest cluster of each customer, from 0, ties to the lower (customers,)."""
        return _nearest(self.standardise(values), self.centroids)


# Sums over threads depend on their number.
@threadpool_limits.wrap(limits=1)
def fit(
    values: Array,
    measures: Sequence[str],
    numbers: Iterable[int] = (3, 4, 5),
) -> Fit:
    """Fit as many clusters as have the best silhouette (Rousseeuw 1987), or a few less.

    The fewest whose silhouette is the best one to within `SILHOUETTE_PRECISION`.

    Args:
        values: (customers, measures); in an order that says nothing of the customers, since
            silhouettes are taken of the first.
        measures: names of the columns.
        numbers: numbers of clusters to choose from; those beyond the distinct customers are not.

    Returns:
        The fit, its clusters by money, frequency and freshness (`ranked`). Without clusters where
        there are fewer distinct customers than the least number.

    Raises:
        ValueError: a value is missing, infinite or negative.
    """
    values = np.asarray(values, dtype=float).reshape(-1, len(measures))
    if not np.isfinite(values).all() or (values < 0).any():
        raise ValueError("measures must be finite and not negative")
    mean, deviation = _scale(_logs(values))
    nothing = Fit(tuple(measures), mean, deviation, np.empty((0, len(measures))), np.nan)
    points = nothing.standardise(values)
    distinct = len(np.unique(points, axis=0))
    first = points[:SILHOUETTE_CUSTOMERS]
    distances = cdist(first, first)
    fits = []
    for number in sorted(numbers):
        if number <= distinct:
            centroids = _k_means(points, number)
            silhouette = _silhouette(distances, _nearest(first, centroids))
            centroids = centroids[ranked(centroids, measures)]
            fits.append(Fit(tuple(measures), mean, deviation, centroids, silhouette))
    enough = max((each.silhouette for each in fits), default=0) - SILHOUETTE_PRECISION
    return next((each for each in fits if each.silhouette >= enough), nothing)


def ranked(centroids: Array, measures: Sequence[str]) -> Array:
    """Return the order (clusters,) of the clusters: most money first, then frequent, then fresh.

    A rule of the centroids alone, so that a rank needs no other fit.
    """
    by_name = dict(zip(measures, np.asarray(centroids).T, strict=True))
    signs = {"monetary": -1, "frequency": -1, "recency": 1}
    keys = [sign * by_name[measure] for measure, sign in signs.items()]
    return np.lexsort(keys[::-1])


def name(fitted: Fit, prototypes: Mapping[str, Mapping[str, float]]) -> list[str]:
    """Return a name for each cluster, no name twice.

    Args:
        fitted: the fit.
        prototypes: for each name where the middle of such customers lies, by measure, in standard
            deviations.

    Returns:
        The names for which centroids and prototypes together are nearest (sum of the squared
        distances over the measures of the prototypes).

    Raises:
        ValueError: there are fewer names than clusters.
    """
    if len(prototypes) < fitted.clusters:
        raise ValueError(f"{fitted.clusters} clusters and {len(prototypes)} names")
    names = sorted(prototypes)
    shared = [measure for measure in fitted.measures if measure in prototypes[names[0]]]
    columns = [fitted.measures.index(measure) for measure in shared]
    places = np.array([[prototypes[each][measure] for measure in shared] for each in names])
    clusters, found = linear_sum_assignment(_squares(fitted.centroids[:, columns], places))
    return [names[place] for _, place in sorted(zip(clusters, found, strict=True))]


def align(fitted: Fit, previous: Fit) -> list[int | None]:
    """Return for each cluster which one of a previous fit it continues.

    Centroids are matched one to one by the least sum of squared distances, both in the standard
    deviations of `fitted`, over the measures that both know (Kuhn 1955). Where the numbers of
    clusters differ, some continue none (None), or some end.
    """
    shared = [measure for measure in fitted.measures if measure in previous.measures]
    own = [fitted.measures.index(measure) for measure in shared]
    other = [previous.measures.index(measure) for measure in shared]
    in_logs = previous.centroids * previous.deviation + previous.mean
    moved = (in_logs[:, other] - fitted.mean[own]) / fitted.deviation[own]
    matches = linear_sum_assignment(_squares(fitted.centroids[:, own], moved))
    found = dict(zip(*(side.tolist() for side in matches), strict=True))
    return [found.get(cluster) for cluster in range(fitted.clusters)]


def agreement(one: Array, other: Array) -> float:
    """Return the share of customers on whom two clusterings (customers,) agree.

    After the clusters of one are matched one to one with those of the other so that it is greatest.
    """
    counts = _crossed(one, other)
    return float(counts[linear_sum_assignment(-counts)].sum() / len(one))


def rand_index(one: Array, other: Array) -> float:
    """Return the adjusted Rand index of two clusterings (customers,): 0 by chance, 1 the same.

    (pairs together in both - expected) / (mean of the pairs together in either - expected), Hubert
    and Arabie (1985); 1 where each has everybody together, or everybody apart.
    """
    counts = _crossed(one, other)
    both, first, second = (
        float((part * (part - 1) / 2).sum())
        for part in (counts, counts.sum(axis=1), counts.sum(axis=0))
    )
    expected = first * second / max(len(one) * (len(one) - 1) / 2, 1)
    most = (first + second) / 2
    return 1.0 if most == expected else (both - expected) / (most - expected)


@dataclass(frozen=True)
class Repeatability:
    """How far clusters fitted to halves of the customers are the same, 0 to 1."""

    agreement: float
    rand_index: float


def repeatability(values: Array, fitted: Fit, splits: int = SPLITS) -> Repeatability | None:
    """Fit both halves of the customers apart and let both assign everybody.

    Args:
        values: (customers, measures), those that were fitted.
        fitted: their fit, which says the number of clusters.
        splits: how many random halvings the result is the mean of.

    Returns:
        Agreement after matching and adjusted Rand index; None where there are no clusters, or a
        half has fewer distinct customers than clusters.
    """
    generator = np.random.default_rng(SEED)
    found = []
    for _ in range(splits):
        order = generator.permutation(len(values))
        halves = (order[: len(values) // 2], order[len(values) // 2 :])
        fits = [fit(values[half], fitted.measures, (fitted.clusters,)) for half in halves]
        if min(each.clusters for each in fits) == 0:
            return None
        one, other = (each.assign(values) for each in fits)
        found.append((agreement(one, other), rand_index(one, other)))
    return Repeatability(*(float(figure) for figure in np.mean(found, axis=0)))


def figures(fitted: Fit) -> Iterator[tuple[int, str, float]]:
    """Yield the figures of a fit: cluster from 1 (0: all of it), name of the figure, value."""
    for place, measure in enumerate(fitted.measures):
        yield 0, f"mean_{measure}", float(fitted.mean[place])
        yield 0, f"deviation_{measure}", float(fitted.deviation[place])
        for cluster in range(fitted.clusters):
            yield cluster + 1, f"centroid_{measure}", float(fitted.centroids[cluster, place])


def quality(
    values: Array,
    fitted: Fit,
    names: Sequence[str],
    headlines: Sequence[str],
    previous: tuple[Fit, Sequence[str]] | None = None,
) -> Iterator[tuple[int, str, float]]:
    """Yield what is to be said of a fit, as `figures` does.

    Args:
        values: (customers, measures), those that were fitted.
        fitted: their fit.
        names: of its clusters.
        headlines: (customers,) another way of telling them apart.
        previous: an earlier fit and its names, to which the same customers are assigned as they
            are now: the comparison shows how far the clusters moved, not the customers. Left out
            where it knows a measure that the fit does not.
    """
    yield 0, "sampled_customers", len(values)
    yield 0, "clusters", fitted.clusters
    if fitted.clusters == 0:
        return
    yield 0, "silhouette", fitted.silhouette
    own = fitted.assign(values)
    halves = repeatability(values, fitted)
    if halves:
        yield 0, "halves_agreement", halves.agreement
        yield 0, "halves_rand_index", halves.rand_index
    others = {"headline": np.unique(headlines, return_inverse=True)[1]}
    if previous and previous[0].clusters and set(previous[0].measures) <= set(fitted.measures):
        earlier, earlier_names = previous
        columns = [fitted.measures.index(measure) for measure in earlier.measures]
        others["previous"] = earlier.assign(values[:, columns])
        kept = np.zeros(fitted.clusters)
        for cluster, place in enumerate(align(fitted, earlier)):
            if place is not None:
                yield cluster + 1, "previous_rank", place + 1
                kept[cluster] = names[cluster] == earlier_names[place]
        yield 0, "previous_names_kept", float(kept[own].mean())
    for what, other in others.items():
        yield 0, f"{what}_agreement", agreement(own, other)
        yield 0, f"{what}_rand_index", rand_index(own, other)


def _logs(values: Array) -> Array:
    return np.log1p(np.asarray(values, dtype=float))


def _scale(logs: Array) -> tuple[Array, Array]:
    """Return mean and standard deviation (measures,); a column that is constant gets 1."""
    if len(logs) == 0:
        return np.zeros(logs.shape[1]), np.ones(logs.shape[1])
    is_constant = np.ptp(logs, axis=0) == 0
    mean = np.where(is_constant, logs[0], logs.mean(axis=0))
    return mean, np.where(is_constant, 1.0, logs.std(axis=0))


def _crossed(one: Array, other: Array) -> Array:
    """Return how many customers are in each pair of clusters (clusters of one, of the other)."""
    counts = np.zeros((one.max() + 1, other.max() + 1))
    np.add.at(counts, (one, other), 1)
    return counts


def _squares(points: Array, others: Array) -> Array:
    """Return the squared distances (points, others)."""
    return ((points[:, None, :] - others[None, :, :]) ** 2).sum(axis=2)


def _nearest(points: Array, centroids: Array) -> Array:
    return _squares(points, centroids).argmin(axis=1)


def _k_means(points: Array, number: int) -> Array:
    """Return the centroids (number, measures) of the tightest of several starts."""
    return KMeans(number, n_init=STARTS, random_state=SEED).fit(points).cluster_centers_


def _silhouette(distances: Array, clusters: Array) -> float:
    """Return the mean silhouette of customers, given their distances (customers, customers).

    (b - a) / max(a, b), a the mean distance to the others of the own cluster, b to those of the
    nearest other one; 0 for who is alone in a cluster. -1 where all are in one.
    """
    everybody = np.arange(len(clusters))
    members = np.eye(clusters.max() + 1)[clusters]
    counts = members.sum(axis=0)
    if np.count_nonzero(counts) < 2:
        return -1.0
    sums = distances @ members
    inside = sums[everybody, clusters] / np.maximum(counts[clusters] - 1, 1)
    means = np.where(counts > 0, sums / np.maximum(counts, 1), np.inf)
    means[everybody, clusters] = np.inf
    outside = means.min(axis=1)
    spread = np.maximum(inside, outside)
    is_alone = (counts[clusters] == 1) | (spread == 0)
    apart = (outside - inside) / np.where(spread == 0, 1, spread)
    return float(np.where(is_alone, 0, apart).mean())
