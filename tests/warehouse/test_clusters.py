"""Clusters as published: what SQL assigned and what is said of it, against scikit-learn alone."""

import hashlib
from dataclasses import dataclass
from datetime import date
from functools import cached_property

import duckdb
import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score, silhouette_score

from estimation import clusters
from tests.rules import seed
from tests.shops import Warehouse

RFM = ("recency", "frequency", "monetary")
ALL = (*RFM, "interactions")
CODES = {"prospect", "former_buyer", "insufficient_evidence"}


@dataclass(frozen=True)
class Published:
    """The buyers of a source at the newest as-of as published, by a hash of their ids.

    Attributes:
        rows: customer, recency, frequency, monetary, interactions, headline segment, cluster name,
            rank, distance and next distance.
        figures: value by cluster and figure of the fit.
        quality: value by cluster and measure of `cluster_quality`.
        previous: the figures of the month-end before.
    """

    rows: list[tuple]
    figures: dict[tuple[int, str], float]
    quality: dict[tuple[int, str], float]
    previous: dict[tuple[int, str], float]

    @cached_property
    def measures(self) -> tuple[str, ...]:
        return ALL if (0, "mean_interactions") in self.figures else RFM

    def points(self, figures: dict[tuple[int, str], float] | None = None) -> np.ndarray:
        """Return the buyers as standard deviations from the mean of a fit."""
        figures = figures or self.figures
        columns = []
        for place, measure in enumerate(self.measures, 1):
            logs = np.log([1 + max(0, float(row[place])) for row in self.rows])
            mean, deviation = (figures[0, f"{each}_{measure}"] for each in ("mean", "deviation"))
            columns.append((logs - mean) / deviation)
        return np.column_stack(columns)

    def centroids(self, figures: dict[tuple[int, str], float] | None = None) -> np.ndarray:
        figures = figures or self.figures
        number = max(cluster for cluster, _ in figures)
        return np.array(
            [
                [figures[cluster, f"centroid_{measure}"] for measure in self.measures]
                for cluster in range(1, number + 1)
            ]
        )

    def predicted(self, figures: dict[tuple[int, str], float] | None = None) -> np.ndarray:
        """Return the cluster, from 0, where scikit-learn puts each buyer by the figures alone."""
        centroids = self.centroids(figures)
        model = KMeans(len(centroids), init=centroids, n_init=1, max_iter=1).fit(centroids)
        model.cluster_centers_ = centroids
        return model.predict(self.points(figures))

    @property
    def ranks(self) -> np.ndarray:
        return np.array([row[7] for row in self.rows])


def read(warehouse: Warehouse, source: str) -> Published:
    with warehouse.connect() as connection, warehouse.build() as build:
        rows = connection.execute(
            "select customer_id, recency_days, frequency, monetary, interactions_3m, "
            "headline_segment, cluster_name, cluster_rank, distance, next_distance "
            "from customer_clusters join customer_rfm using (customer_id) "
            "join customer_engagement using (customer_id) "
            f"where frequency > 0 and starts_with(customer_id, '{source}:')"
        ).fetchall()
        found = connection.execute(
            "select cluster_rank, measure, value from cluster_quality where source = ?", [source]
        ).fetchall()
        fits = (
            "select cluster_rank, measure, value from intermediate.int_customers__clusters_fitted "
            "where source = ? and as_of_date = ?"
        )
        newest, previous = build.execute(
            "select as_of_date, previous_as_of_date from intermediate.int_as_of_dates "
            "where is_newest"
        ).fetchone()
        figures, before = (
            {
                (cluster, measure): value
                for cluster, measure, value in build.execute(fits, [source, day]).fetchall()
            }
            for day in (newest, previous)
        )
    rows.sort(key=lambda row: hashlib.md5(row[0].encode()).hexdigest())
    quality = {(cluster, measure): value for cluster, measure, value in found}
    return Published(rows, figures, quality, before)


@pytest.fixture(scope="module", params=["sample_shop", "online_retail"])
def shop(request: pytest.FixtureRequest) -> Published:
    source = {"sample_shop": "shop"}.get(request.param, request.param)
    return read(request.getfixturevalue(request.param), source)


pytestmark = pytest.mark.slow


def test_every_customer_is_in_the_cluster_that_scikit_learn_puts_it_in(shop: Published):
    assert len(shop.rows) > 1500
    points, centroids = shop.points(), shop.centroids()
    distances = np.linalg.norm(points[:, None] - centroids[None], axis=2)
    nearest = np.sort(distances, axis=1)
    # Nearer than millionths tell apart, the better cluster has it.
    is_clear = nearest[:, 1] - nearest[:, 0] > 2e-6
    assert is_clear.mean() > 0.99
    assert (shop.ranks == shop.predicted() + 1)[is_clear].all()
    assert [row[8] for row in shop.rows] == pytest.approx(nearest[:, 0], abs=1e-6)
    assert [row[9] for row in shop.rows] == pytest.approx(nearest[:, 1], abs=1e-6)


def test_the_fit_is_of_these_buyers_and_no_other_is_tighter(shop: Published):
    points = shop.points()
    # The sample holds them all, so their logs have mean 0 and deviation 1.
    assert shop.quality[0, "sampled_customers"] == len(points)
    assert points.mean(axis=0) == pytest.approx(0, abs=1e-9)
    assert points.std(axis=0) == pytest.approx(1, abs=1e-9)
    centroids = shop.centroids()
    model = KMeans(len(centroids), n_init=20, random_state=99).fit(points)
    spread = ((points - centroids[shop.ranks - 1]) ** 2).sum()
    assert spread <= model.inertia_ * 1.005
    assert 3 <= len(centroids) <= 5
    assert (np.diff(centroids[:, 2]) < 0).all(), "ranks go by money"
    for rank in range(1, len(centroids) + 1):
        middle = points[shop.ranks == rank].mean(axis=0)
        assert centroids[rank - 1] == pytest.approx(middle, abs=0.02)


def test_the_number_of_clusters_is_the_fewest_with_the_best_silhouette(shop: Published):
    points = shop.points()
    silhouettes = {}
    for number in (3, 4, 5):
        model = KMeans(number, n_init=20, random_state=99).fit(points)
        silhouettes[number] = silhouette_score(points[:2000], model.labels_[:2000])
    number = int(shop.quality[0, "clusters"])
    assert shop.quality[0, "silhouette"] == pytest.approx(silhouettes[number], abs=0.002)
    assert silhouettes[number] > max(silhouettes.values()) - 0.012


def test_what_is_said_of_the_clusters_is_right(shop: Published):
    headlines = [row[5] for row in shop.rows]
    said = shop.quality
    assert said[0, "headline_rand_index"] == pytest.approx(
        adjusted_rand_score(headlines, shop.ranks), abs=1e-3
    )
    earlier = shop.predicted(shop.previous)
    assert said[0, "previous_rand_index"] == pytest.approx(
        adjusted_rand_score(earlier, shop.ranks), abs=1e-3
    )
    for rank in range(1, int(said[0, "clusters"]) + 1):
        assert said[rank, "customers"] == (shop.ranks == rank).sum()
        middle = shop.centroids()[rank - 1]
        for measure, each in zip(shop.measures, middle, strict=True):
            mean, deviation = (shop.figures[0, f"{a}_{measure}"] for a in ("mean", "deviation"))
            assert said[rank, f"typical_{measure}"] == pytest.approx(
                np.exp(mean + deviation * each) - 1
            )


def test_halves_drawn_otherwise_agree_as_much(shop: Published):
    points, number = shop.points(), int(shop.quality[0, "clusters"])
    generator = np.random.default_rng(4711)
    indexes = []
    for _ in range(12):
        is_first = generator.permutation(len(points)) < len(points) / 2
        one, other = (
            KMeans(number, n_init=10, random_state=1).fit(points[half]).predict(points)
            for half in (is_first, ~is_first)
        )
        indexes.append(adjusted_rand_score(one, other))
    error = np.std(indexes) * np.sqrt(1 / 12 + 1 / 5)
    assert abs(shop.quality[0, "halves_rand_index"] - np.mean(indexes)) < 3 * error + 0.02
    assert 0.5 < shop.quality[0, "halves_agreement"] <= 1


def test_a_sample_of_half_the_buyers_gives_nearly_the_same_clusters(shop: Published):
    values = np.array(
        [[max(0, float(each)) for each in row[1 : len(shop.measures) + 1]] for row in shop.rows]
    )
    number = int(shop.quality[0, "clusters"])
    sampled = clusters.fit(values[: len(values) // 2], shop.measures, [number])
    found = clusters.rand_index(sampled.assign(values), shop.ranks)
    # The sample shop is drawn without gaps between its customers, and is small.
    assert found > (0.9 if len(values) > 5000 else 0.6)


def test_every_name_has_its_cluster_and_every_customer_a_name(sample_shop: Warehouse):
    known = {row["cluster_name"] for row in seed("cluster_names")}
    with sample_shop.connect() as connection:
        rows = connection.execute(
            "select cluster_name, cluster_rank, frequency, orders_to_date, count(*) "
            "from customer_segments join customer_clusters using (customer_id, cluster_name) "
            "group by all"
        ).fetchall()
        (customers,) = connection.execute("select count(*) from customer_segments").fetchone()
    assert sum(row[-1] for row in rows) == customers
    for name, rank, frequency, orders_to_date, _ in rows:
        assert (name in known) == (frequency > 0) == (rank is not None), name
        assert name in known | CODES
        assert (name == "prospect") == (orders_to_date == 0)
        assert (name == "former_buyer") == (orders_to_date > 0 and frequency == 0)
    ranks = {(name, rank) for name, rank, *_ in rows if rank}
    assert len({name for name, _ in ranks}) == len(ranks) >= 3


def test_month_ends_have_the_names_of_their_own_fit(sample_shop: Warehouse):
    with sample_shop.connect() as connection, sample_shop.build() as build:
        kept = connection.execute(
            "select as_of_date, cluster_name, count(*) from customer_segments_history "
            "group by all order by all"
        ).fetchall()
        fitted = build.execute(
            "select as_of_date, cluster_name from intermediate.int_customers__clusters_fitted "
            "where cluster_name is not null group by all"
        ).fetchall()
        compared = build.execute(
            "select distinct as_of_date from intermediate.int_customers__clusters_fitted "
            "where measure = 'halves_agreement'"
        ).fetchall()
    assert {(day, name) for day, name, _ in kept} - set(fitted) == {
        (day, name) for day, name, _ in kept if name in CODES
    }
    assert len({day for day, _ in fitted}) > 20
    assert compared == [(date(2026, 6, 30),)]


def test_a_run_warns_of_clusters_that_repeat_on_less_than_is_promised(sample_shop: Warehouse):
    (compiled,) = (sample_shop.root / "warehouse" / "target" / "compiled").rglob(
        "assert_clusters_of_both_halves_agree.sql"
    )
    sql = compiled.read_text().replace('"build"."trust"."cluster_quality"', "quality")
    with duckdb.connect() as connection:
        connection.execute(
            "create table quality as select * from (values ('a', 'halves_agreement', 0.84, 0.85, "
            "false), ('b', 'halves_agreement', 0.85, 0.85, true), ('c', 'clusters', 0, 3, null)) "
            "as rows (source, measure, value, minimum, is_met)"
        )
        assert [row[0] for row in connection.execute(sql).fetchall()] == ["a"]
