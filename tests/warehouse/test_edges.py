"""Small and odd shops build green and come out sensible."""

from datetime import date
from pathlib import Path

import pytest

from tests.shops import Warehouse, deliver, line, order, quick_run, segments


def one_line_each(landing: Path, orders: list[dict], price: str = "100.00") -> None:
    deliver(landing, "orders", orders)
    deliver(landing, "order_lines", [line(row["order_id"], price) for row in orders])


def explained(root: Path, customer: str, language: str = "en") -> str:
    done = segments(root, "explain", customer, "--lang", language)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def identical_customers(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """A thousand customers, each with the same one order, and only the two required feeds."""
    root = tmp_path_factory.mktemp("identical")
    orders = [order(f"o{number}", f"c{number}", "2026-03-05") for number in range(1000)]
    one_line_each(root / "landing", orders)
    return quick_run(root, tested=True)


def test_a_thousand_identical_customers_get_identical_scores(identical_customers: Warehouse):
    with identical_customers.connect() as connection:
        scores = connection.execute(
            "select r_score, f_score, m_score, rfm_segment, headline_segment, count(*) "
            "from customer_rfm group by all"
        ).fetchall()
        values = connection.execute(
            "select spend_band, frequency_band, margin_band, value_tier, abc_class, "
            "order_value_group, average_order_value_12m, count(*) from customer_value group by all"
        ).fetchall()
    # R = ceil(5 x 1000/1000), F = M = 1 + floor(5 x 0/1000); 511 is `new`.
    assert scores == [(5, 1, 1, "new", "growing", 1000)]
    # Nobody is strictly better, so the share above each is 0: A. Equal to the median is high.
    assert [row[:6] for row in values] == [("low", "low", "unknown", "low", "A", "C")]


CLV = (
    "select clv_basis, clv_status, clv_reason, count(*), count(clv_predicted), count(p_alive) "
    "from customer_clv group by all"
)


def test_where_nobody_came_back_no_purchase_model_is_fitted(identical_customers: Warehouse):
    with identical_customers.connect() as connection:
        clv = connection.execute(CLV).fetchall()
        fits = connection.execute(
            "select distinct parameter, value, customers, status from clv_parameters"
        ).fetchall()
    assert clv == [("revenue", "insufficient_evidence", "few_repeat_buyers", 1000, 0, 0)]
    assert fits == [("none", None, 1000, "insufficient_evidence")]


def test_orders_and_order_lines_alone_are_enough(identical_customers: Warehouse):
    with identical_customers.connect() as connection:
        totals = connection.execute(
            "select count(*), sum(net_revenue_12m), max(as_of_date) from customer_segments"
        ).fetchone()
        feeds = connection.execute("select distinct feed from deliveries order by feed").fetchall()
        unknown = connection.execute(
            "select distinct customer_type, country, registered_at from customers"
        ).fetchall()
        differences = connection.execute(
            "select count(*) from reconciliation where difference <> 0"
        ).fetchone()
    assert totals == (1000, 100000, date(2026, 3, 5))
    assert feeds == [("order_lines",), ("orders",)]
    assert unknown == [(None, None, None)]
    assert differences == (0,)
    told = explained(identical_customers.root, "c7")
    assert "No forecast. Too few repeat buyers." in told
    assert "Margin (no costs known)" in told


def test_one_customer_with_one_order(tmp_path: Path):
    one_line_each(tmp_path / "landing", [order("o1", "c1", "2026-03-05")], price="12.34")
    with quick_run(tmp_path, tested=True).connect() as connection:
        row = connection.execute(
            "select customer_id, rfm_segment, headline_segment, r_score, net_revenue_12m, "
            "abc_class, order_value_group, value_tier from customer_segments"
        ).fetchall()
        change = connection.execute(
            "select customers, customers_change, customer_share from segment_summary "
            "where segment = 'insufficient_evidence'"
        ).fetchone()
        concentration = connection.execute(
            "select count(*), min(customers), max(customers), min(revenue_share), "
            "max(revenue_share), max(margin_share), max(clipped_amount) from revenue_concentration"
        ).fetchone()
        clv = connection.execute(CLV).fetchall()
        cohorts = connection.execute(
            "select cohort_retention_id, customers, active_customers, retention_rate, "
            "net_revenue::varchar, is_complete from cohort_retention"
        ).fetchall()
    assert clv == [("revenue", "insufficient_evidence", "few_repeat_buyers", 1, 0, 0)]
    assert "1 order so far; there are too few buyers to rank." in explained(tmp_path, "c1")
    assert "累计1单；买家过少，暂不评分。" in explained(tmp_path, "c1", "zh")
    # One buyer is fewer than minimum_buyers_to_rank; bands, class and group need no rank.
    assert [(*found[:4], str(found[4]), *found[5:]) for found in row] == [
        (
            "shop:c1",
            "insufficient_evidence",
            "insufficient_evidence",
            None,
            "12.34",
            "A",
            "C",
            "low",
        )
    ]
    assert change == (1, 1, 1.0)
    # Each percent of one is one customer with everything; no cost is known. March is not over.
    assert concentration == (100, 1, 1, 1.0, 1.0, None, 0)
    assert cohorts == [("2026-03-01:0", 1, 1, 1.0, "12.34", False)]


def test_no_orders_but_interactions_makes_prospects(tmp_path: Path):
    deliver(
        tmp_path / "landing",
        "interactions",
        [
            {
                "interaction_id": f"i{number}",
                "customer_id": f"c{number}",
                "occurred_at": "2026-03-05 10:00:00",
                "interaction_type": "register",
            }
            for number in range(3)
        ],
    )
    with quick_run(tmp_path, tested=True).connect() as connection:
        rows = connection.execute(
            "select rfm_segment, order_value_group, value_tier, abc_class, net_revenue_12m, "
            "count(*) from customer_segments group by all"
        ).fetchall()
        clv = connection.execute(CLV).fetchall()
        as_of = connection.execute("select distinct as_of_date from customers").fetchall()
        activated = connection.execute(
            "select count(*) from customers where activated_at is not null"
        ).fetchone()
    assert rows == [("prospect", "A", None, None, 0, 3)]
    assert clv == [(None, "insufficient_evidence", "no_order", 3, 0, 0)]
    assert as_of == [(date(2026, 3, 5),)]
    assert activated == (3,)
    assert "Prospect. It never ordered." in explained(tmp_path, "c1")
    assert "潜在客户。从未下单。" in explained(tmp_path, "c1", "zh")


def test_an_empty_landing_folder_publishes_empty_tables(tmp_path: Path):
    (tmp_path / "landing").mkdir()
    with quick_run(tmp_path, tested=True).connect() as connection:
        for table in (
            "customers",
            "orders",
            "customer_segments",
            "segment_summary",
            "revenue_concentration",
            "cohort_retention",
            "segment_performance",
            "segment_separation",
            "customer_clv",
            "clv_parameters",
            "clv_model_card",
            "deliveries",
        ):
            assert connection.execute(f"select count(*) from {table}").fetchone() == (0,)
    nobody = segments(tmp_path, "explain", "c1")
    assert (nobody.returncode, nobody.stderr.strip()) == (1, "Error: there is no customer c1.")
