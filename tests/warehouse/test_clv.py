"""What CLV by models must be: right on known data, honest on others, defined on any.

CDNOW is the sample that BG/NBD was published on. The sample shop plants the process that BG/NBD
assumes, or one that it does not, with the truth beside the files. What is expected comes from
`clv_by_hand`, the planted truth, the published figures; never from the models' own output.

Homes are built as far as CLV goes, with the tests on the way, from a copy of the project without a
history: the past month-ends would be fitted too, and cost three times as much.
"""

import csv
import os
import subprocess
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2

from estimation import populations
from orchestration import dbt
from orchestration.control import Request
from orchestration.home import home
from orchestration.ingest import ingest
from sample import behaviour
from sample.generate import generate
from tests.shops import Warehouse, copy_project, deliver, line, order
from tests.warehouse import cdnow
from tests.warehouse import clv_by_hand as by_hand

pytestmark = pytest.mark.slow

SELECTED = ("+customer_clv", "+clv_model_card", "+clv_parameters")
SCHEMAS = "main,customers,trust,intermediate,staging,seeds"
ORIGIN, NEWEST = "1997-09-30", "1998-06-30"
MODELS = ("bgnbd", "mbgnbd")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    copy = copy_project(tmp_path_factory.mktemp("without_history"))
    settings = copy / "seeds" / "settings.csv"
    text = settings.read_text()
    assert text.count("\nhistory_months,24,") == 1
    settings.write_text(text.replace("\nhistory_months,24,", "\nhistory_months,0,"))
    return copy


def build(root: Path, project: Path, request: Request | None = None) -> duckdb.DuckDBPyConnection:
    """Ingest what was delivered, build and test as far as CLV goes, and open the build file."""
    place = home(root).prepare()
    ingest(place, request=request)
    settings = {"DBT_PROJECT_DIR": str(project), "DBT_PROFILES_DIR": str(project)}
    done = subprocess.run(
        [
            *(str(dbt.EXECUTABLE), "--no-use-colors", *dbt.BUILD_ARGUMENTS),
            *("--select", *SELECTED, "--indirect-selection", "cautious"),
        ],
        cwd=project,
        env={**os.environ, **dbt.environment(place), **settings},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:]
    connection = Warehouse(root, place.landing).build()
    connection.execute(f"set search_path = '{SCHEMAS}'")
    return connection


def parameters(
    connection: duckdb.DuckDBPyConnection, model: str, on: str | None = None
) -> dict[str, float]:
    """Return what was fitted for a model, at the newest as-of or another date that was fitted."""
    return dict(
        connection.execute(
            "select parameter, value from int_clv__fitted where asked_model = ? and fit_date = "
            "coalesce(?::date, (select max(as_of_date) from int_as_of_dates))",
            [model, on],
        ).fetchall()
    )


def card(connection: duckdb.DuckDBPyConnection, **wanted: object) -> pd.DataFrame:
    """Return the rows of the model card in which every column named has the value given."""
    rows = connection.execute("select * from clv_model_card").df()
    for column, value in wanted.items():
        told = rows[column].dt.strftime("%Y-%m-%d") if column == "origin_date" else rows[column]
        rows = rows[told == value]
    return rows


def figure(connection: duckdb.DuckDBPyConnection, **wanted: object) -> float:
    (value,) = card(connection, **{"bucket": "all", **wanted})["value"]
    return float(value)


# CDNOW
#
# The newest fact, and so the newest as-of, is of 1998-06-30, a month-end; the backtest of 273 days
# from nine months back is the published one: fitted to 1997-09-30, held against the 39 weeks to
# 1998-06-30. The warehouse's figures are not the published ones to the last digit, for 8 customers
# brought no money: 2,349 customers and a log-likelihood of -9578.20 instead of 2,357 and -9582.43;
# and the top 3 (0.1%, rounded up) count as the fourth when the models are fitted. No cost was
# delivered, so the basis is revenue. Against the published MAE 0.785 and ratio 0.879, BG/NBD comes
# to 0.788 (the eight who never came back are gone from the mean) and 0.877.


@pytest.fixture(scope="module")
def cdnow_build(
    tmp_path_factory: pytest.TempPathFactory, project: Path
) -> Iterator[duckdb.DuckDBPyConnection]:
    if not cdnow.FILE.exists():
        pytest.skip(f"the CDNOW sample is not at {cdnow.FILE}")
    root = tmp_path_factory.mktemp("cdnow")
    cdnow.deliver_cdnow(root / "landing")
    with build(root, project) as connection:
        yield connection


@pytest.fixture(scope="module")
def days() -> pd.DataFrame:
    if not cdnow.FILE.exists():
        pytest.skip(f"the CDNOW sample is not at {cdnow.FILE}")
    return cdnow.order_days()


@pytest.fixture(scope="module")
def at_origin(days: pd.DataFrame) -> pd.DataFrame:
    return by_hand.statistics(days, ORIGIN)


@pytest.fixture(scope="module")
def today(days: pd.DataFrame) -> pd.DataFrame:
    return by_hand.statistics(days, NEWEST)


@pytest.fixture(scope="module")
def fitted(today: pd.DataFrame) -> tuple[by_hand.Orders, by_hand.Spend]:
    """Return MBG/NBD and Gamma-Gamma by hand at the newest as-of."""
    orders = by_hand.fit_orders("mbgnbd", by_hand.capped(today.x), today.recency, today.age)
    return orders, fit_binned_spend(today)


def fit_binned_spend(known: pd.DataFrame) -> by_hand.Spend:
    """Fit to mean spends in steps of 1%, as the definitions say."""
    repeat = known[known.x > 0]
    return by_hand.fit_spend(repeat.x, np.exp(np.round(100 * np.log(repeat["mean"])) / 100))


def test_the_hand_itself_reproduces_the_published_likelihood(days, at_origin):
    assert (len(cdnow.read_rows()), days.customer.nunique()) == (cdnow.ROWS, 2_349)
    assert (len(at_origin), (at_origin.x > 0).sum()) == (2_349, 946)
    columns = (at_origin.x, at_origin.recency, at_origin.age)
    found = by_hand.fit_orders("bgnbd", *columns)
    assert by_hand.log_likelihood("bgnbd", found, *columns) == pytest.approx(-9578.20, abs=0.005)
    # Of the 8 without money none came back, so the others are little else than the published ones.
    assert tuple(found) == pytest.approx((0.243, 4.414, 0.793, 2.426), rel=0.006)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("on", [ORIGIN, NEWEST])
def test_cdnow_has_the_parameters_of_a_fit_by_hand(cdnow_build, days, model, on):
    known = by_hand.statistics(days, on)
    columns = (by_hand.capped(known.x), known.recency, known.age)
    mine = by_hand.fit_orders(model, *columns)
    assert parameters(cdnow_build, model, on) == pytest.approx(mine._asdict(), rel=2e-4)
    told = cdnow_build.execute(
        "select distinct log_likelihood, customers, groups, status from int_clv__fitted "
        "where asked_model = ? and fit_date = ?::date",
        [model, on],
    ).fetchall()
    groups = len(pd.DataFrame(np.stack(columns, axis=1)).drop_duplicates())
    likelihood = by_hand.log_likelihood(model, mine, *columns)
    assert told == [(pytest.approx(likelihood, abs=1e-3), 2_349, groups, "converged")]


@pytest.mark.parametrize("on", [ORIGIN, NEWEST])
def test_cdnow_has_the_spend_of_a_fit_by_hand(cdnow_build, days, on):
    known = by_hand.statistics(days, on)
    found = parameters(cdnow_build, "gamma_gamma", on)
    assert found == pytest.approx(fit_binned_spend(known)._asdict(), rel=2e-4)
    if on == ORIGIN:  # published; steps of 1% move p and v by half a percent
        assert found == pytest.approx({"p": 6.25, "q": 3.744, "v": 15.44}, rel=0.01)


def test_the_card_has_the_published_holdout(cdnow_build, days, at_origin):
    later = days[(days.day > ORIGIN) & (days.day <= NEWEST)].groupby("customer").size()
    came = later.reindex(at_origin.index).fillna(0)
    assert came.sum() == 1_882
    backtest = {"origin_date": ORIGIN, "horizon_days": 273}
    for model in MODELS:
        theta = by_hand.fit_orders(
            model, by_hand.capped(at_origin.x), at_origin.recency, at_origin.age
        )
        told = np.array(
            [
                by_hand.expected_orders(model, theta, row.x, row.recency, row.age, 39)
                for row in at_origin.itertuples()
            ]
        )
        found = {
            measure: figure(cdnow_build, model=model, measure=measure, **backtest)
            for measure in ("aggregate_ratio", "mae", "rmse", "customers")
        }
        assert found == pytest.approx(
            {
                "aggregate_ratio": told.sum() / came.sum(),
                "mae": np.abs(told - came).mean(),
                "rmse": np.sqrt(((told - came) ** 2).mean()),
                "customers": 2_349,
            },
            rel=1e-4,
        )
        seven = at_origin.x >= 7
        assert figure(
            cdnow_build, model=model, measure="frequency_actual", bucket="7+", **backtest
        ) == pytest.approx(came[seven].mean())
        assert figure(
            cdnow_build, model=model, measure="frequency_predicted", bucket="7+", **backtest
        ) == pytest.approx(told[seven].mean(), rel=1e-4)
    published = {"aggregate_ratio": (0.879, 0.01), "mae": (0.785, 0.01), "rmse": (1.608, 0.01)}
    for measure, (value, tolerance) in published.items():
        found = figure(cdnow_build, model="bgnbd", measure=measure, **backtest)
        assert found == pytest.approx(value, abs=tolerance)
    naive = at_origin.x / at_origin.age * 39
    for measure, value in (("aggregate_ratio", 1.557), ("mae", 1.024)):
        found = figure(cdnow_build, model="naive_rate", measure=measure, **backtest)
        assert found == pytest.approx(value, abs=0.004)
    assert figure(cdnow_build, model="naive_rate", measure="mae", **backtest) == pytest.approx(
        np.abs(naive - came).mean()
    )


def test_the_card_says_that_the_model_wins_on_calibration_and_not_on_ranking(cdnow_build):
    backtest = {"origin_date": ORIGIN, "horizon_days": 273}
    model, naive = (
        {
            measure: figure(cdnow_build, model=name, measure=measure, **backtest)
            for measure in ("aggregate_ratio", "mae", "spearman")
        }
        for name in ("mbgnbd", "naive_rate")
    )
    assert abs(np.log(model["aggregate_ratio"])) < abs(np.log(naive["aggregate_ratio"]))
    assert model["mae"] < naive["mae"]
    assert model["spearman"] < naive["spearman"]


def test_cdnow_is_scored_by_the_mbgnbd_on_revenue(cdnow_build):
    told = cdnow_build.execute("""
        select clv_status, clv_reason, clv_basis, count(*) from customer_clv group by all
    """).fetchall()
    assert sorted(told) == [
        ("fitted", "converged", "revenue", 2_349),
        ("insufficient_evidence", "no_order", "revenue", 8),
    ]
    used = cdnow_build.execute("select distinct model from clv_model_card where is_used").fetchall()
    assert sorted(used) == [("gamma_gamma",), ("mbgnbd",)]


@pytest.fixture(scope="module")
def some(cdnow_build, today) -> pd.DataFrame:
    """Return what is published of some dozens: at random, never back, and the most frequent."""
    drawn = pd.concat(
        [
            today.sample(25, random_state=5),
            today[today.x == 0].sample(6, random_state=6),
            today[today.x > 0].sort_values("recency").head(3),
            today.sort_values("x").tail(6),
        ]
    )
    drawn = drawn[~drawn.index.duplicated()]
    published = cdnow_build.execute("select * from customer_clv").df()
    published["customer"] = published.customer_id.str.removeprefix("shop:")
    found = drawn.join(published.set_index("customer"))
    assert len(found) > 35 and found.p_alive.notna().all()
    assert found.x.max() == today.x.max() and (found.x == 0).sum() >= 6
    return found


def test_customers_of_cdnow_have_the_forecast_computed_by_hand(some, fitted):
    orders, spend = fitted
    for row in some.rename(columns={"mean": "spent"}).itertuples():
        history = (row.x, row.recency, row.age)
        expected = by_hand.expected_orders("mbgnbd", orders, *history, by_hand.YEAR)
        alive = by_hand.p_alive("mbgnbd", orders, *history)
        value = by_hand.order_value(spend, row.x, row.spent)
        worth = by_hand.discounted_orders("mbgnbd", orders, *history) * value
        assert row.p_alive == pytest.approx(alive, rel=2e-4), row
        assert row.expected_orders == pytest.approx(expected, rel=2e-4), row
        assert float(row.expected_order_value) == pytest.approx(value, rel=2e-4, abs=0.006), row
        assert float(row.clv_predicted) == pytest.approx(worth, rel=3e-4, abs=0.006), row
        due = None
        if orders.r + row.x > 1 and alive >= 0.5:
            wait = by_hand.days_to_next_order(orders, row.x, row.age)
            due = date(1998, 6, 30) + timedelta(days=round(wait)) if wait <= 3650 else None
        told = row.expected_next_order_date
        assert (None if pd.isna(told) else told.date()) == due, row


def test_the_interval_of_cdnow_holds_eight_of_ten_lives(some, fitted):
    """Who lives the year 50,000 times spends below the lower end in a tenth of them.

    Where an end is zero, nothing is spent at least as often as the end says. Levels are read off
    a line between steps of 2.5%, ages are whole weeks: together less than one point.
    """
    orders, spend = fitted
    rng = np.random.default_rng(7)
    positive = 0
    for row in some.rename(columns={"mean": "spent"}).itertuples():
        history = (row.x, row.recency, row.age)
        discount = by_hand.discounted_orders("mbgnbd", orders, *history)
        discount /= by_hand.expected_orders("mbgnbd", orders, *history, by_hand.YEAR)
        customer = (*history, row.spent)
        spent = by_hand.live_a_year(rng, "mbgnbd", orders, spend, customer, 50_000) * discount
        for end, level in ((float(row.clv_lower), 0.1), (float(row.clv_upper), 0.9)):
            if end == 0:
                assert np.mean(spent == 0) >= level - 0.01, row
            else:
                positive += 1
                assert np.mean(spent <= end) == pytest.approx(level, abs=0.01), row
    assert positive > 20


# The sample shop, in the world that BG/NBD assumes
#
# Each type of customer is BG/NBD and Gamma-Gamma with parameters of its own, and there are two: no
# single model has the shop's parameters, so the planted ones can be recovered by type, and the
# shop's own fit is judged by what it forecasts. On top come what BG/NBD does not know: campaigns
# add orders (1% of them), even of customers who are gone; refunds void some; two on a day are one;
# the basis is margin, which the planted spend is not.


@pytest.fixture(scope="module")
def bgnbd_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("bgnbd")
    generate(root, customers=5_000, months=30, seed=11)
    return root


@pytest.fixture(scope="module")
def bgnbd_build(bgnbd_home: Path, project: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with build(bgnbd_home, project) as connection:
        yield connection


@pytest.fixture(scope="module")
def planted(bgnbd_home: Path, bgnbd_build: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """Return every buyer with what was planted, what the models saw, and what they say."""
    return bgnbd_build.execute(f"""
        select truth.*, histories.frequency as x, histories.recency_days / 7 as recency,
            histories.age_days / 7 as age,
            purchases.repeat_revenue::double / nullif(purchases.frequency, 0) as revenue,
            customer_clv.p_alive, customer_clv.expected_orders
        from '{bgnbd_home / "truth" / "customers.parquet"}' as truth
        join customer_clv on customer_clv.customer_id = 'shop:' || truth.customer_id
        join int_clv__histories as histories
            on histories.customer_id = customer_clv.customer_id
            and histories.fit_date = customer_clv.as_of_date
        join int_clv__purchases as purchases
            on purchases.customer_id = customer_clv.customer_id
            and purchases.fit_date = customer_clv.as_of_date
        order by truth.customer_id
    """).df()


@pytest.mark.parametrize("kind", behaviour.TYPES)
def test_the_planted_parameters_are_recovered_by_type(planted, kind):
    """They lie in the region that holds the true ones 99 times in 100 (likelihood ratio).

    Of customers whom no campaign added an order to. Rate and dropout each by itself is well known,
    the parameters one by one are not, as they trade against each other.
    """
    mine = planted[(planted.customer_type == kind) & (planted.campaign_orders == 0)]
    days = {"recency_days": 7 * mine.recency, "age_days": 7 * mine.age}
    columns = {"frequency": mine.x, **days, "customers": np.ones(len(mine))}
    rows = populations.fit_orders(
        {name: np.asarray(column, float) for name, column in columns.items()}, 30, 1.0, 300_000
    )
    found = by_hand.Orders(
        **{row["parameter"]: row["value"] for row in rows if row["asked_model"] == "bgnbd"}
    )
    truth = behaviour.BGNBD[behaviour.TYPES.index(kind)]
    wanted = by_hand.Orders(truth.r, truth.alpha, truth.a, truth.b)
    likelihoods = [
        by_hand.log_likelihood("bgnbd", theta, mine.x, mine.recency, mine.age)
        for theta in (found, wanted)
    ]
    assert 0 <= 2 * (likelihoods[0] - likelihoods[1]) < chi2.ppf(0.99, 4)
    assert found.r / found.alpha == pytest.approx(wanted.r / wanted.alpha, rel=0.08)
    dropout = found.a / (found.a + found.b), wanted.a / (wanted.a + wanted.b)
    assert dropout[0] == pytest.approx(dropout[1], rel=0.15)


@pytest.mark.parametrize("kind", behaviour.TYPES)
def test_the_planted_spend_is_recovered_by_type(planted, kind):
    """From revenue, which was planted; margin, the basis, has the spread of the products too."""
    mine = planted[(planted.customer_type == kind) & (planted.x > 0) & (planted.revenue > 0)]
    rows = populations.fit_spend(
        {
            "frequency": mine.x.to_numpy(),
            "log_step": np.round(100 * np.log(mine.revenue)).to_numpy(),
            "customers": np.ones(len(mine)),
        },
        30,
    )
    found = by_hand.Spend(**{row["parameter"]: row["value"] for row in rows})
    truth = behaviour.SPEND[behaviour.TYPES.index(kind)]
    likelihoods = [
        by_hand.spend_log_likelihood(by_hand.Spend(*theta), mine.x, mine.revenue)
        for theta in (found, (truth.p, truth.q, truth.v))
    ]
    assert 2 * (likelihoods[0] - likelihoods[1]) < chi2.ppf(0.99, 3)
    mean = found.p * found.v / (found.q - 1)
    assert mean == pytest.approx(truth.p * truth.v / (truth.q - 1), rel=0.05)


def test_the_shops_own_fit_grows_as_planted(bgnbd_build):
    """One BG/NBD over two types: not their parameters, but within 5% their orders, at any age."""
    found = behaviour.BgNbd(**parameters(bgnbd_build, "bgnbd"))
    weeks = np.array([13.0, 26.0, 52.0, 104.0])
    told = behaviour.expected_repeats(found, weeks)
    business = behaviour.BUSINESS_SHARE
    consumers, businesses = (behaviour.expected_repeats(each, weeks) for each in behaviour.BGNBD)
    assert told == pytest.approx((1 - business) * consumers + business * businesses, rel=0.05)


def calibration(told: pd.Series, truth: pd.Series, edges: list[float]) -> pd.DataFrame:
    bins = pd.cut(told, edges, include_lowest=True)
    table = pd.DataFrame({"told": told, "true": truth.astype(float)}).groupby(bins, observed=True)
    return table.agg(customers=("told", "size"), told=("told", "mean"), true=("true", "mean"))


def test_the_chance_to_be_alive_of_the_bgnbd_is_calibrated(bgnbd_build, planted):
    """In every tenth, within three standard errors and 3 points for the mixture of two types.

    Of those whom no campaign added an order to: who answers is drawn among who has not bought,
    whether gone or not, so leaving them out does not change who is alive given its history.
    """
    theta = by_hand.Orders(**parameters(bgnbd_build, "bgnbd"))
    mine = planted[planted.campaign_orders == 0]
    told = pd.Series(
        [
            by_hand.p_alive("bgnbd", theta, *history)
            for history in zip(mine.x, mine.recency, mine.age, strict=True)
        ],
        index=mine.index,
    )
    table = calibration(told, mine.is_alive_at_end, [0, *np.arange(1, 10) / 10, 0.999, 1])
    assert len(table) >= 9 and table.customers.min() > 50
    error = 3 * np.sqrt(table.told * (1 - table.told) / table.customers) + 0.03
    assert (np.abs(table.told - table.true) < error).all(), table


def test_the_mbgnbd_that_scores_is_off_for_one_time_buyers_as_the_rule_accepts(planted):
    """Its MAE is within 1%, so it is used; here nobody leaves at the first order, as it assumes.

    So it gives one-time buyers about two chances in three, where 98 of 100 are there; whoever came
    back it tells as well as BG/NBD does.
    """
    mine = planted[planted.campaign_orders == 0]
    once = mine[mine.x == 0]
    assert once.is_alive_at_end.mean() > 0.97
    assert 0.55 < once.p_alive.mean() < 0.8
    back = mine[mine.x > 0]
    assert back.p_alive.mean() == pytest.approx(back.is_alive_at_end.mean(), abs=0.06)


def test_expected_orders_are_those_of_the_planted_customers(planted):
    """A customer's rate and dropout were planted: (1 - exp(-rate p t)) / p while alive, else none.

    In all within 3%, and by fifth of the forecast within 15% or a quarter of an order.
    """
    weeks, p = by_hand.YEAR, planted.dropout
    truth = (1 - np.exp(-planted.rate_per_week * p * weeks)) / p * planted.is_alive_at_end
    assert planted.expected_orders.sum() == pytest.approx(truth.sum(), rel=0.03)
    fifth = pd.qcut(planted.expected_orders, 5, labels=False)
    for told, true in zip(
        planted.expected_orders.groupby(fifth).mean(), truth.groupby(fifth).mean(), strict=True
    ):
        assert told == pytest.approx(true, rel=0.15, abs=0.25)


def test_the_card_of_the_planted_shop_finds_the_models_right(bgnbd_build):
    for model in MODELS:
        mine = {"model": model, "bucket": "all"}
        ratios = card(bgnbd_build, measure="aggregate_ratio", **mine)["value"]
        assert len(ratios) == 6
        assert ratios.between(0.88, 1.12).all(), ratios
        errors = card(bgnbd_build, measure="mae", **mine)
        assert (errors["value"] < errors["baseline_value"]).all()


@pytest.mark.parametrize("model", MODELS)
def test_the_interval_covers_in_every_bucket_of_the_planted_shop(bgnbd_build, model):
    """At least 80% within three standard errors, wherever there are a hundred customers.

    More where an end is zero, since who orders nothing lies on it. By frequency and by decile: an
    interval that is right on average may be wrong for everybody.
    """
    rows = card(bgnbd_build, model=model)
    place = ["origin_date", "horizon_days", "bucket"]
    seen = 0
    for kind in ("frequency", "decile"):
        customers = rows[rows.measure == f"{kind}_customers"].set_index(place)["value"]
        held = rows[rows.measure == f"{kind}_coverage"].set_index(place)["value"]
        table = pd.DataFrame({"customers": customers, "held": held})
        table = table[table.customers >= 100]
        seen += len(table)
        least = 0.8 - 3 * np.sqrt(0.8 * 0.2 / table.customers)
        assert (table.held >= least).all(), table[table.held < least]
    assert seen >= 90
    alone = rows[(rows.measure == "coverage")]["value"]
    assert alone.between(0.85, 0.95).all()


# The sample shop, in a world that BG/NBD does not assume
#
# Even gaps (Erlang of 8 and 10 steps), a fifth who never come back, wear, and a season: November
# brings 1.65 of the average, February 0.5. Counts and last orders tell little of dropout then: what
# varies of it between customers vanishes in the fit, so that BG/NBD ends at a bound, and MBG/NBD
# converges to a chance to leave of 2%, nearly the same for all. Known up to 2025-12-31 here.


SEASONAL_DAY = date(2025, 12, 31)


@pytest.fixture(scope="module")
def seasonal_build(
    tmp_path_factory: pytest.TempPathFactory, project: Path
) -> Iterator[duckdb.DuckDBPyConnection]:
    root = tmp_path_factory.mktemp("seasonal")
    generate(root, 3_000, 36, seed=11, behaviour="seasonal")
    with build(root, project, Request(last_day=SEASONAL_DAY)) as connection:
        yield connection


def test_even_gaps_drive_the_bgnbd_to_a_bound_and_it_is_not_used(seasonal_build):
    told = seasonal_build.execute("""
        select distinct status, reason from clv_parameters
        where asked_model = 'bgnbd' and as_of_date = '2025-12-31'
    """).fetchall()
    assert told == [("at_bound", "b at its upper bound 10000")]
    assert "bgnbd" not in set(card(seasonal_build, is_used=True)["model"])


def test_the_card_shows_that_quarters_are_missed_by_the_season(seasonal_build):
    """Too few orders foretold into the high season, too many into the low one, by a third or so.

    From October to December demand is 1.37 of the mean, from January to March 0.77 (the planted
    season), which no model of steady rates knows. Over a year the season cancels.
    """
    ratio = {
        (row.origin_date.strftime("%Y-%m-%d"), row.horizon_days): row.value
        for row in card(
            seasonal_build, model="mbgnbd", measure="aggregate_ratio", bucket="all"
        ).itertuples()
    }
    season = np.array(behaviour.SEASON) / np.mean(behaviour.SEASON)
    assert ratio["2025-09-30", 84] == pytest.approx(1 / season[9:].mean(), abs=0.15)
    assert ratio["2024-12-31", 84] == pytest.approx(1 / season[:3].mean(), abs=0.25)
    assert 0.85 < ratio["2024-12-31", 365] < 1.3


def test_the_card_shows_that_the_lost_are_given_a_chance(seasonal_build):
    """The lowest three tenths by forecast brought less than three quarters of what was foretold."""
    rows = card(seasonal_build, model="mbgnbd", horizon_days=365)
    for tenth in ("1", "2", "3"):
        mine = rows[rows.bucket == tenth].set_index("measure")["value"]
        assert mine["decile_actual"] < 0.75 * mine["decile_predicted"], tenth


def test_the_gate_refuses_models_that_lose_to_the_naive_rate_on_both_counts(seasonal_build):
    """By hand from the card's figures: mean absolute error, and by how many times the total is off.

    The model and the naive rate are nearly as bad as each other here, so the verdict depends on
    the origins: of this shop's month-ends November to April refuse, May to October do not (as
    measured with a history). Whoever is refused keeps the formula and says why.
    """
    rows = card(seasonal_build, bucket="all").query("horizon_days > 0")
    place = ["model", "origin_date", "horizon_days"]
    table = rows.pivot_table(index=place, columns="measure", values="value")
    table["off"] = np.abs(np.log(table["aggregate_ratio"]))
    found = table.loc["mbgnbd", ["mae", "off"]]
    naive = table.loc["naive_rate", ["mae", "off"]].loc[found.index]
    assert len(found) == 6
    worse = found.mean() / naive.mean()
    assert (worse > 1).all() and (worse < 1.1).all(), worse
    told = seasonal_build.execute("""
        select clv_status, clv_reason, count(clv_predicted), count(p_alive), count(*) > 2000,
            count(*) = count(clv_formula)
        from customer_clv where clv_historic_revenue > 0 group by all
    """).fetchall()
    assert told == [("formula_only", "worse_than_naive", 0, 0, True, True)]
    assert not rows.is_used.any()


# Whatever is delivered


COLUMNS = ("frequency", "recency_days", "age_days", "customers")


def population(rows: list[tuple[int, int, int]]) -> dict[str, np.ndarray]:
    """Return customers of (repeat days, recency, age) as the models are given them."""
    arrays = np.array(rows, float).reshape(-1, 3).T
    return dict(zip(COLUMNS, [*arrays, np.ones(len(rows))], strict=True))


TODAY = date(2026, 3, 31)


def lives(seed: int, count: int, weeks: int = 100) -> list[list[date]]:
    """Return the order days of customers as MBG/NBD has them: rates and dropouts of their own."""
    rng = np.random.default_rng(seed)
    found = []
    for start in rng.uniform(0, weeks, count):
        rate, leaves, moment, moments = rng.gamma(0.7, 1 / 6), rng.beta(0.9, 3), start, []
        while moment < weeks:
            moments.append(moment)
            if rng.random() < leaves:
                break
            moment += rng.exponential(1 / rate)
        found.append(sorted({TODAY - timedelta(days=int(7 * (weeks - at))) for at in moments}))
    return found


def ordinary(count: int) -> list[tuple[int, int, int]]:
    """Return what the models see of such customers."""
    return [
        (len(days) - 1, (days[-1] - days[0]).days, (TODAY - days[0]).days)
        for days in lives(3, count)
    ]


WHOLESALER = (20_000, 20_100, 20_150)
SOURCES = {
    "nobody": [],
    "one customer": [(0, 0, 40)],
    "one customer who came back": [(3, 60, 90)],
    "nobody came back": [(0, 0, age) for age in range(500)],
    "everybody alike": [(3, 200, 300)] * 500,
    "everybody of today": [(0, 0, 0)] * 100,
    "every day, all of them": [(300, 300, 300)] * 200,
    "a wholesaler alone": [WHOLESALER],
    "a wholesaler among others": [*ordinary(400), WHOLESALER],
}


@pytest.mark.parametrize("source", SOURCES)
def test_any_population_has_fits_with_a_status_and_a_backtest_without_holes(source):
    groups = population(SOURCES[source])
    rows = populations.fit_orders(groups, 30, 0.999, 300_000)
    status = {row["asked_model"]: row["status"] for row in rows}
    assert set(status) == set(MODELS)
    assert set(status.values()) <= {
        "converged",
        "at_bound",
        "not_converged",
        "insufficient_evidence",
    }
    repeats = sum(x > 0 for x, *_ in SOURCES[source])
    is_told_apart = len(set(SOURCES[source])) > 1
    assert (set(status.values()) == {"insufficient_evidence"}) == (
        repeats < 30 or not is_told_apart
    )
    if source == "a wholesaler among others":
        assert set(status.values()) == {"converged"}
    assert all(row["reason"] for row in rows if row["status"] != "converged")
    spends = populations.fit_spend(
        {"frequency": np.array([]), "log_step": np.array([]), "customers": np.array([])}, 30
    )
    assert {row["status"] for row in spends} == {"insufficient_evidence"}

    usable = {
        name: populations.Chosen(
            next(row["model"] for row in rows if row["asked_model"] == name),
            {row["parameter"]: row["value"] for row in rows if row["asked_model"] == name},
        )
        for name in MODELS
        if status[name] == "converged"
    }
    usable["gamma_gamma"] = populations.Chosen("mean_spend", {"mean": 12.5})
    size = len(groups["customers"])
    columns = {
        **groups,
        "mean_spend": np.where(groups["frequency"] > 0, 12.5, 0.0),
        "order_days": np.zeros(size),
        "spend": np.zeros(size),
        "last_year_order_days": np.zeros(size),
    }
    measured = populations.backtest(columns, usable, 84, 0.8, in_full=True)
    assert {row["model"] for row in measured} >= {"naive_rate", "last_year", "mean"}
    assert all(row["value"] is None or np.isfinite(row["value"]) for row in measured)


def test_a_wholesaler_neither_moves_the_others_nor_lacks_a_forecast():
    """Of 20,000 order days in 20,100: counted as the second most when fitted, scored as it is."""
    fits = [
        {
            row["parameter"]: row["value"]
            for row in populations.fit_orders(population(rows), 30, 0.999, 300_000)
            if row["asked_model"] == "mbgnbd"
        }
        for rows in (ordinary(400), [*ordinary(400), WHOLESALER])
    ]
    assert fits[1]["r"] / fits[1]["alpha"] == pytest.approx(
        fits[0]["r"] / fits[0]["alpha"], rel=0.05
    )
    asked = {
        "frequency": np.array([20_000.0]),
        "age_days": np.array([20_150.0]),
        "age_weeks": np.array([round(20_150 / 7)]),
        "order_model": np.array(["mbgnbd"]),
        "spend_model": np.array(["gamma_gamma"]),
        "mean_spend": np.array([np.nan]),
        "horizon_days": np.array([365]),
        "yearly_discount": np.array([0.1]),
        **{name: np.array([value]) for name, value in fits[1].items()},
        **{name: np.array([value]) for name, value in {"p": 6.25, "q": 3.74, "v": 15.4}.items()},
    }
    year = 365 * 20_000 / 20_150  # at its rate, if it stays, as who came 20,000 times does
    assert populations.expectations(asked)["orders_if_alive"][0] == pytest.approx(year, rel=0.02)
    ends = populations.multiples(asked)["multiple"]
    assert np.isfinite(ends).all() and (np.diff(ends) >= 0).all()


@pytest.fixture(scope="module")
def odd_build(
    tmp_path_factory: pytest.TempPathFactory, project: Path
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Two sources in one home, each odd in its way.

    The shop sells below cost, to 300 customers as they come and to a wholesaler with 20,000 orders
    in a thousand days. Online Retail has 60 customers who order the same on the same three days.
    """
    root = tmp_path_factory.mktemp("odd")
    orders = [
        order(f"w{number}", "wholesaler", str(TODAY - timedelta(days=number // 20)))
        for number in range(20_000)
    ]
    orders += [
        order(f"o{number}-{repeat}", f"c{number}", str(day))
        for number, days in enumerate(lives(3, 300))
        for repeat, day in enumerate(days)
    ]
    deliver(root / "landing", "orders", orders)
    lines = [line(each["order_id"], "10.00", unit_cost="15.00") for each in orders]
    deliver(root / "landing", "order_lines", lines)
    path = root / "landing" / "online_retail" / "invoice_lines" / "invoice_lines.csv"
    path.parent.mkdir(parents=True)
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream)
        header = "Invoice,StockCode,Description,Quantity,InvoiceDate,Price,Customer ID,Country"
        writer.writerow(header.split(","))
        for day in ("2025-03-03", "2025-09-01", "2026-03-02"):
            for number in range(60):
                invoice = f"{day[2:4]}{day[5:7]}{number:02d}"
                row = (invoice, "85048", "LIGHTS", 12, f"{day} 09:00:00", "6.95")
                writer.writerow((*row, f"{12000 + number}.0", "France"))
    with build(root, project) as connection:
        yield connection


def test_who_only_loses_money_has_no_forecast_and_the_reason_says_why(odd_build):
    told = odd_build.execute("""
        select clv_basis, clv_status, clv_reason, count(*), count(clv_predicted)
        from customer_clv where customer_id like 'shop:%' group by all
    """).fetchall()
    assert told == [("margin", "formula_only", "no_positive_spend", 301, 0)]


def test_a_wholesaler_counts_days_and_not_orders(odd_build):
    seen = odd_build.execute("""
        select frequency, recency_days, age_days from int_clv__histories
        where customer_id = 'shop:wholesaler' order by fit_date desc limit 1
    """).fetchall()
    assert seen == [(999, 999, 999)]
    capped = card(odd_build, source="shop", measure="capped_customers")
    assert (capped["value"] == 1).all() and len(capped)


def test_where_everybody_is_alike_the_reason_says_so_and_nothing_is_made_up(odd_build):
    rows = odd_build.execute("""
        select clv_basis, clv_status, clv_reason, count(*), count(clv_predicted), count(p_alive)
        from customer_clv where customer_id like 'online_retail:%' group by all
    """).fetchall()
    assert rows == [("revenue", "insufficient_evidence", "customers_alike", 60, 0, 0)]
