"""Faults that staging and the marts decide, planted in one small shop; numbers of docs/faults.md.

The shop writes London time and its business day is Shanghai's; its newest day is 2025-02-28, so
that the last 365 days reach back over a leap day. Every expected value is worked out by hand.
"""

import gzip
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.shops import Warehouse, copy_project, deliver, line, order, run_by_steps, segments

NEWEST = date(2025, 2, 28)
RATES = "USD,CNY,2024-07-01,7.2\nCHF,CNY,2024-07-01,8\n"
FILLERS = [f"f{number}" for number in range(30)]  # enough buyers to rank, each of 500.00

# Orders that only have to be what they are: customer, day, what the one line costs.
PLAIN_ORDERS = {
    "o0": ("c0", "2025-02-28", "1.00"),
    "o6": ("", "2025-01-10", "60.00"),
    "o6_blank": ("  ", "2025-01-10", "5.00"),
    "o7": ("c7", "2025-01-10", "70.00"),
    "o8_paid_back": ("c8_paid_back", "2025-01-10", "80.00"),
    "o8_partly": ("c8_partly", "2025-01-10", "80.00"),
    "o8_return_1": ("c8_return", "2025-01-10", "100.00"),
    "o9_more": ("c9_more", "2025-01-10", "50.00"),
    "o9_note": ("c9_note", "2025-01-10", "50.00"),
    "o39": ("c39", "2025-01-10", "39.00"),
    "o40": ("c40", "2025-01-10", "10.00"),
    "o42_leap_day": ("c42_leap_day", "2024-02-29", "42.00"),
    "o42_day_after": ("c42_day_after", "2024-03-01", "42.00"),
    "o42_outside": ("c42_outside", "2023-03-01", "42.00"),
    "o42_inside": ("c42_inside", "2023-03-02", "42.00"),
    "o44": ("c44", "2024-12-01", "10.00"),
    **{f"o_{name}": (name, "2025-02-01", "500.00") for name in FILLERS},
}
# When it was ordered as delivered, the moment in UTC, the day in Shanghai.
TIMES = {
    "offset": ("2024-03-10T23:30:00+08:00", "2024-03-10 15:30:00", "2024-03-10"),
    "utc": ("2024-03-10T23:30:00Z", "2024-03-10 23:30:00", "2024-03-11"),
    "last_of_day": ("2024-03-30 15:59:59", "2024-03-30 15:59:59", "2024-03-30"),
    "midnight": ("2024-03-30 16:00:00", "2024-03-30 16:00:00", "2024-03-31"),
    # London's clock goes from 01:00 to 02:00 on 2024-03-31 and from 02:00 to 01:00 on 2024-10-27.
    "before_the_jump": ("2024-03-31 00:59:00", "2024-03-31 00:59:00", "2024-03-31"),
    "skipped": ("2024-03-31 01:30:00", "2024-03-31 01:30:00", "2024-03-31"),
    "after_the_jump": ("2024-03-31 02:00:00", "2024-03-31 01:00:00", "2024-03-31"),
    "summer_last": ("2024-03-31 16:59:59", "2024-03-31 15:59:59", "2024-03-31"),
    "summer_midnight": ("2024-03-31 17:00:00", "2024-03-31 16:00:00", "2024-04-01"),
    "repeated": ("2024-10-27 01:30:00", "2024-10-27 01:30:00", "2024-10-27"),
}
BAD_DAYS = {"year_1": "0001-01-01", "year_1900": "1900-01-01", "far_ahead": "9999-12-31"}


def orders() -> list[dict[str, object]]:
    rows = [order(name, customer, day) for name, (customer, day, _) in PLAIN_ORDERS.items()]
    rows += [
        order("o8_same", "c8_same", "2025-01-10"),
        order("o8_return_2", "c8_return", "2025-01-11"),
    ]
    rows += [order("o8_cancelled", "c8_cancelled", "2025-01-10", status="cancelled")]
    for what in ("quantity", "price", "lines", "discount"):
        rows.append(order(f"o10_no_{what}", "c10", "2025-01-10"))
    rows[-1]["discount_amount"] = "25.00"
    rows += [order(f"o39_{what}", "c39", "2025-01-10") for what in ("absurd", "huge", "nan")]
    rows.append(order("o39_discount", "c39", "2025-01-10", discount_amount="999999999999"))
    rows.append(order("o39_of_line", "c39", "2025-01-10"))
    rows += [order(f"o40_{name}", "c40", day) for name, day in BAD_DAYS.items()]
    for name, (written, _, _) in TIMES.items():
        rows.append(order(f"o41_{name}", "c41", "") | {"ordered_at": written})
    rows.append(order("o42_no_day", "c42_no_day", "2023-02-29"))
    for name, day, currency in (
        ("usd_june", "2024-06-30", "USD"),
        ("usd_july", "2024-07-01", " usd"),
        ("chf_june", "2024-06-30", "CHF"),
        ("chf_july", "2024-07-01", "CHF"),
        ("unknown", "2024-07-01", "XXX"),
        ("base", "2024-07-01", ""),
    ):
        rows.append(order(f"o43_{name}", "c43", day, currency=currency))
    columns = {"currency": "", "discount_amount": "", "updated_at": "2025-02-28 09:00:00"}
    return [columns | row for row in rows]


def revision(name: str, discount: str, updated_at: str) -> dict[str, object]:
    columns = {"discount_amount": discount, "updated_at": updated_at}
    return order(f"o5_{name}", "c5", "2024-06-01", currency="", **columns)


def lines() -> list[dict[str, object]]:
    rows = [line(name, price) for name, (_, _, price) in PLAIN_ORDERS.items()]
    rows += [line(f"o5_{name}", "100.00") for name in ("in_turn", "late", "untimed")]
    rows.append(line("o8_same", "50.00", quantity="2"))
    rows.append(line("o8_same", "50.00", quantity="-2", line_number=2))
    rows.append(line("o8_return_2", "40.00", quantity="-1"))
    rows.append(line("o8_cancelled", "999.00"))
    rows.append(line("o10_no_quantity", "25.00", quantity="0"))
    rows.append(line("o10_no_price", "0.00", quantity="3"))
    rows.append(line("o10_no_discount", "25.00"))
    rows.append(line("o39_absurd", "999999.00", quantity="1000000"))
    rows.append(line("o39_discount", "10.00"))
    rows.append(line("o39_of_line", "10.00", discount_amount="-999999999999"))
    rows.append(line("o39_huge", "100000000000000000000"))
    rows.append(line("o39_nan", "NaN"))
    rows += [line(f"o40_{name}", "1000.00") for name in BAD_DAYS]
    rows += [line(f"o41_{name}", "1.00") for name in TIMES]
    rows.append(line("o42_no_day", "42.00"))
    for name in ("usd_june", "usd_july", "chf_june", "chf_july", "unknown", "base"):
        rows.append(line(f"o43_{name}", "10.00"))
    return [{"discount_amount": ""} | row for row in rows]


def refund(
    refund_id: str, order_id: str, amount: str, day: str, customer_id: str = ""
) -> dict[str, object]:
    columns = {"refund_id": refund_id, "order_id": order_id, "customer_id": customer_id}
    return columns | {"amount": amount, "refunded_at": f"{day} 12:00:00"}


REFUNDS = [
    refund("r8_paid_back", "o8_paid_back", "80.00", "2025-01-20"),
    refund("r8_partly", "o8_partly", "30.00", "2025-01-20"),
    refund("r9_more", "o9_more", "120.00", "2025-01-20"),
    refund("r9_note", "", "80.00", "2025-01-20", customer_id="c9_note"),
    refund("r39", "o39", "999999999999", "2025-01-20"),
    refund("r40_ahead", "o40", "4.00", "9999-12-31"),
    refund("r40_before", "o40", "4.00", "2025-01-09"),
    refund("r43", "o43_usd_june", "5.00", "2024-08-01"),
    refund("r43_unrated", "o43_chf_june", "5.00", "2024-08-01"),
]
INTERACTIONS = [
    {
        "interaction_id": f"i40_{name}",
        "customer_id": "c40",
        "occurred_at": day,
        "interaction_type": "visit",
    }
    for name, day in BAD_DAYS.items()
]

# customer: counted orders and net revenue of the look-back, days since the last counted order.
MEASURES = {
    "c0": (1, "1.00", 0),
    "c5": (3, "260.00", 272),  # 90 + 90 + 80
    "c7": (1, "70.00", 49),
    "c8_same": (0, "0.00", None),  # 2 x 50 - 2 x 50
    "c8_paid_back": (0, "0.00", None),
    "c8_partly": (1, "50.00", 49),
    "c8_return": (1, "60.00", 49),  # the second order is only a return of 40
    "c9_more": (0, "-70.00", None),  # 50 - 120
    "c9_note": (1, "-30.00", 49),  # 50 - 80
    "c10": (0, "0.00", None),
    "c39": (1, "39.00", 49),
    "c40": (1, "10.00", 49),
    "c41": (10, "10.00", 124),
    "c42_leap_day": (1, "42.00", 365),
    "c42_day_after": (1, "42.00", 364),
    "c42_outside": (0, "0.00", 730),
    "c42_inside": (1, "42.00", 729),
    "c43": (4, "197.00", 242),  # 70 + 72 + 80 + 10 - 35
    "c44": (1, "10.00", 89),
}
LEDGER = Decimal("15840.00")  # those of MEASURES, 42 before the look-back, 65 of guests, 15000


@dataclass(frozen=True)
class Shop:
    """The published warehouse, what its run printed, and its build file after a late delivery."""

    warehouse: Warehouse
    printed: str

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        with self.warehouse.connect() as connection:
            return connection.execute(sql).fetchall()

    def build(self, sql: str) -> list[tuple[Any, ...]]:
        with self.warehouse.build() as connection:
            return connection.execute(sql).fetchall()


def set_rules(project: Path) -> None:
    for name, old, new in (
        ("seeds/settings.csv", "business_timezone,UTC,", "business_timezone,Asia/Shanghai,"),
        ("models/staging/shop/_shop__sources.yml", "timezone: UTC", "timezone: Europe/London"),
    ):
        text = (project / name).read_text(encoding="utf-8")
        assert text.count(old) == 1
        (project / name).write_text(text.replace(old, new), encoding="utf-8")
    with (project / "seeds" / "exchange_rates.csv").open("a", encoding="utf-8") as stream:
        stream.write(RATES)


def plant(landing: Path) -> None:
    first = [
        revision("in_turn", "0.00", "2024-06-01 10:00:00"),
        revision("late", "10.00", "2024-06-02 10:00:00"),
        revision("untimed", "0.00", ""),
    ]
    second = [
        revision("in_turn", "10.00", "2024-06-02 10:00:00"),
        revision("late", "0.00", "2024-06-01 10:00:00"),
        revision("untimed", "20.00", ""),
    ]
    path = deliver(landing, "orders", orders() + first, "1")
    (path.parent / "orders_1_again.csv").write_bytes(path.read_bytes())
    deliver(landing, "orders", second, "2")
    path = deliver(landing, "order_lines", lines(), "1")
    # The same records as other bytes: not a duplicate to the ledger, a newer delivery to staging.
    (path.parent / "order_lines_2.csv.gz").write_bytes(gzip.compress(path.read_bytes()))
    deliver(landing, "refunds", REFUNDS)
    deliver(landing, "interactions", INTERACTIONS)
    known = [name for name in MEASURES if name != "c7"] + FILLERS
    registered = {"c40": "1900-01-01 12:00:00"}
    deliver(
        landing,
        "customers",
        [{"customer_id": name, "registered_at": registered.get(name, "")} for name in known],
    )


def done(project: Path, root: Path, *arguments: str) -> str:
    finished = segments(root, *arguments, project=project)
    printed = finished.stdout + finished.stderr
    assert finished.returncode == 0, printed[-3000:]
    return printed


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """Publish the shop with all faults, then build the customers anew with a late delivery."""
    project = copy_project(tmp_path_factory.mktemp("project"))
    set_rules(project)
    root = tmp_path_factory.mktemp("faults")
    landing = root / "landing"
    plant(landing)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", "America/New_York")  # the host's zone is nobody's business
        warehouse, printed = run_by_steps(root, project)
        deliver(landing, "orders", [order("o44_late", "c44", "2023-06-15")], "9_late")
        deliver(landing, "order_lines", [line("o44_late", "44.00")], "9_late")
        done(project, root, "ingest")
        # Without the tests, which are those of the first build.
        done(project, root, "dbt", "run", "--select", "+customer_rfm", "+orders")
    return Shop(warehouse, printed)


def rejected(shop: Shop, feed: str) -> dict[str, str]:
    return dict(
        shop.query(
            "select substr(record_id, 6), rejection_reason from rejected_rows "
            f"where feed = '{feed}' and set_aside_by = 'staging'"
        )
    )


def net_amounts(shop: Shop, prefix: str) -> dict[str, str]:
    return dict(
        shop.query(
            f"select substr(order_id, 6), cast(net_amount as varchar) from orders "
            f"where order_id like 'shop:{prefix}%'"
        )
    )


def test_every_customer_has_the_measures_worked_out_by_hand(shop: Shop):
    rows = shop.query(
        "select substr(customer_id, 6), frequency, cast(monetary as varchar), recency_days "
        "from customer_rfm"
    )
    fillers = {name: (1, "500.00", 27) for name in FILLERS}
    assert {name: tuple(measures) for name, *measures in rows} == MEASURES | fillers


def test_every_customer_has_one_segment_and_no_figure_is_infinite(shop: Shop):
    rows = shop.query(
        "select customer_id, headline_segment, rfm_segment, abc_class from customer_segments"
    )
    assert len({customer for customer, *_ in rows}) == len(rows) == len(MEASURES) + len(FILLERS)
    assert all(headline and segment for _, headline, segment, _ in rows)
    doubles = shop.query(
        "select table_name, column_name from duckdb_columns() "
        "where data_type = 'DOUBLE' and database_name in ('marts', 'facts')"
    )
    assert doubles
    for table, column in doubles:
        wrong = shop.query(f"select count(*) from {table} where not isfinite({column})")
        assert wrong == [(0,)], f"{table}.{column}"


def test_the_ledger_holds_every_accepted_cent_once(shop: Shop):
    assert shop.query("select sum(net_amount) from sales_ledger") == [(LEDGER,)]
    assert shop.query("select count(*) from reconciliation where difference <> 0") == [(0,)]


def test_3_every_record_counted_is_in_staging_or_in_the_quarantine(shop: Shop):
    rows = shop.query(
        "select feed, sum(records_counted), sum(rows_landed), sum(rows_quarantined) "
        "from deliveries where status = 'landed' group by feed order by feed"
    )
    counted = len(lines())
    # Delivered twice: 2 prices of order_lines each time, and one order on 2023-02-29.
    assert rows == [
        ("customers", 48, 48, 0),
        ("interactions", 3, 3, 0),
        ("order_lines", 2 * counted, 2 * counted - 4, 4),
        ("orders", len(orders()) + 6, len(orders()) + 5, 1),
        ("refunds", 9, 9, 0),
    ]
    quarantined = shop.query(
        "select feed, column_name, count(*) from rejected_rows "
        "where set_aside_by = 'ingestion' and rejection_reason = 'not_typed' group by all "
        "order by all"
    )
    assert quarantined == [("order_lines", "unit_price", 4), ("orders", "ordered_at", 1)]


def test_4_the_same_records_twice_count_once(shop: Shop):
    rows = shop.query(
        "select file_name, status, rows_landed from deliveries "
        "where file_name in ('orders_1_again.csv', 'order_lines_2.csv.gz') order by file_name"
    )
    assert rows == [
        ("order_lines_2.csv.gz", "landed", len(lines()) - 2),
        ("orders_1_again.csv", "duplicate", 0),
    ]
    once = shop.query(
        "select count(*), sum(net_amount) from order_lines where order_id = 'shop:o0'"
    )
    assert once == [(1, Decimal("1.00"))]


def test_5_the_newest_revision_wins_in_either_order_of_arrival(shop: Shop):
    assert net_amounts(shop, "o5") == {
        "o5_in_turn": "90.00",
        "o5_late": "90.00",
        "o5_untimed": "80.00",
    }
    revisions = shop.build(
        "select order_id, count(*) from raw.shop__orders where order_id like 'o5%' group by all "
        "order by all"
    )
    assert revisions == [("o5_in_turn", 2), ("o5_late", 2), ("o5_untimed", 2)]


def test_6_an_order_without_a_customer_is_in_the_totals_and_in_no_segment(shop: Shop):
    rows = shop.query(
        "select order_id, net_amount from sales_ledger where customer_id is null order by order_id"
    )
    assert rows == [("shop:o6", Decimal("60.00")), ("shop:o6_blank", Decimal("5.00"))]
    guests = shop.query(
        "select distinct guest_total from reconciliation where mart like 'cust%' "
        "and measure = 'net_revenue_12m'"
    )
    assert guests == [(Decimal("65.00"),)]


def test_7_who_orders_is_a_customer_without_master_data_too(shop: Shop):
    rows = shop.query(
        "select customer_id, has_master_data, first_order_date from customers "
        "where not has_master_data"
    )
    assert rows == [("shop:c7", False, date(2025, 1, 10))]
    assert "WARN 1 orders_are_of_customers_in_the_master_data" in shop.printed


def test_8_returns_lower_money_and_what_nets_to_nothing_is_no_order(shop: Shop):
    rows = shop.query(
        "select substr(order_id, 6), cast(net_amount as varchar), is_countable, voided_on "
        "from orders where order_id like 'shop:o8%' order by order_id"
    )
    assert rows == [
        ("o8_paid_back", "80.00", True, date(2025, 1, 20)),
        ("o8_partly", "80.00", True, None),
        ("o8_return_1", "100.00", True, None),
        ("o8_return_2", "-40.00", False, None),
        ("o8_same", "0.00", False, None),
    ]
    assert rejected(shop, "orders")["o8_cancelled"] == "status_cancelled"
    assert shop.query("select * from customers where customer_id = 'shop:c8_cancelled'") == []


def test_9_more_paid_back_than_paid_is_negative_money_in_a_defined_segment(shop: Shop):
    segments = shop.query(
        "select substr(customer_id, 6), headline_segment = 'prospect', m_score, abc_class, "
        "spend_band, cast(net_revenue_12m as varchar) from customer_segments "
        "where customer_id like 'shop:c9%' order by customer_id"
    )
    assert segments == [
        # Its one order is void, so it is a customer who never bought; the money stays in the sums.
        ("c9_more", True, None, None, None, "-70.00"),
        # Nobody among the buyers brought less.
        ("c9_note", False, 1, "C", "low", "-30.00"),
    ]
    average = shop.query(
        "select cast(average_order_value_12m as varchar), margin_band from customer_value "
        "where customer_id = 'shop:c9_note'"
    )
    assert average == [("-30.00", "unknown")]


def test_10_nothing_bought_or_nothing_paid_is_no_purchase(shop: Shop):
    rows = shop.query(
        "select substr(order_id, 6), cast(net_amount as varchar), is_countable, line_count "
        "from orders where order_id like 'shop:o10%' order by order_id"
    )
    assert rows == [
        ("o10_no_discount", "0.00", False, 1),  # the discount takes all
        ("o10_no_lines", "0.00", False, 0),
        ("o10_no_price", "0.00", False, 1),
        ("o10_no_quantity", "0.00", False, 1),
    ]
    segment = shop.query(
        "select rfm_segment, order_value_group from customer_segments "
        "where customer_id = 'shop:c10'"
    )
    assert segment == [("prospect", "A")]


def test_39_an_absurd_amount_is_rejected(shop: Shop):
    lines_out = {name: why for name, why in rejected(shop, "order_lines").items() if "o39" in name}
    assert lines_out == {
        "o39_absurd:1": "amount_out_of_range",
        "o39_discount:1": "order_not_accepted",
        "o39_of_line:1": "amount_out_of_range",
    }
    assert rejected(shop, "orders")["o39_discount"] == "amount_out_of_range"
    # 1e20 and NaN never came past ingestion; the orders stand without their line.
    assert net_amounts(shop, "o39") == {
        "o39": "39.00",
        "o39_absurd": "0.00",
        "o39_huge": "0.00",
        "o39_nan": "0.00",
        "o39_of_line": "0.00",
    }


def test_40_a_day_that_cannot_be_is_rejected_and_moves_nothing(shop: Shop):
    days = {
        "year_1": "dated_too_early",
        "year_1900": "dated_too_early",
        "far_ahead": "dated_in_future",
    }
    orders_of_bad_days = {
        name: reason for name, reason in rejected(shop, "orders").items() if "o40" in name
    }
    assert orders_of_bad_days == {f"o40_{name}": reason for name, reason in days.items()}
    assert rejected(shop, "interactions") == {f"i40_{name}": why for name, why in days.items()}
    assert rejected(shop, "refunds") == {
        "r39": "amount_out_of_range",
        "r40_ahead": "dated_in_future",
        "r40_before": "refunded_before_order",
        "r43_unrated": "order_not_accepted",
    }
    registered = shop.query(
        "select registered_at, known_since from customers where customer_id = 'shop:c40'"
    )
    assert registered == [(None, date(2025, 1, 10))]
    as_of = shop.query("select distinct as_of_date from customers")
    assert as_of == [(NEWEST,)]
    assert shop.query("select min(recency_days) from customer_rfm") == [(0,)]


def test_41_a_moment_is_converted_once_and_its_day_is_the_business_day(shop: Shop):
    rows = shop.query(
        "select substr(order_id, 10), ordered_at, order_date from orders "
        "where order_id like 'shop:o41%'"
    )
    assert {name: (moment, day) for name, moment, day in rows} == {
        name: (datetime.fromisoformat(moment), date.fromisoformat(day))
        for name, (_, moment, day) in TIMES.items()
    }


def test_42_a_leap_day_is_a_day_like_any_other(shop: Shop):
    days = shop.query(
        "select date_day, is_month_end, month_end_date, weekday_number from dates "
        "where date_day between '2024-02-28' and '2024-03-01' or date_day = '2025-02-28' "
        "order by date_day"
    )
    assert days == [
        (date(2024, 2, 28), False, date(2024, 2, 29), 3),  # a Wednesday
        (date(2024, 2, 29), True, date(2024, 2, 29), 4),
        (date(2024, 3, 1), False, date(2024, 3, 31), 5),
        (date(2025, 2, 28), True, date(2025, 2, 28), 5),
    ]
    assert shop.query("select count(*) from dates where year_number = 2024") == [(366,)]
    # 365 days before 2025-02-28 is 2024-02-29, which is outside; 730 days before, 2023-03-01.
    rows = shop.query(
        "select substr(customer_id, 10), cast(net_revenue_12m as varchar), orders_12m "
        "from customer_value where customer_id like 'shop:c42%' order by customer_id"
    )
    assert rows == [
        ("day_after", "42.00", 1),
        ("inside", "0.00", 0),
        ("leap_day", "0.00", 0),
        ("outside", "0.00", 0),
    ]
    former = shop.query(
        "select rfm_code, rfm_segment from customer_rfm where customer_id = 'shop:c42_outside'"
    )
    assert former == [("111", "lost")]


def test_43_money_is_added_at_the_rate_of_its_day_or_not_at_all(shop: Shop):
    assert net_amounts(shop, "o43") == {
        "o43_usd_june": "70.00",
        "o43_usd_july": "72.00",
        "o43_chf_july": "80.00",
        "o43_base": "10.00",
    }
    unknown = {name for name, why in rejected(shop, "orders").items() if why == "unknown_currency"}
    assert unknown == {"o43_chf_june", "o43_unknown"}
    # 5 USD at the rate of the order's day, not of the refund's.
    refunded = shop.query("select refund_amount from refunds where order_id = 'shop:o43_usd_june'")
    assert refunded == [(Decimal("35.00"),)]


def test_44_a_late_fact_is_in_the_newest_as_of_of_the_next_build(shop: Shop):
    query = (
        "select as_of_date, frequency, cast(monetary as varchar) from {}customer_rfm "
        "where customer_id = 'shop:c44'"
    )
    assert shop.query(query.format("")) == [(NEWEST, 1, "10.00")]
    assert shop.build(query.format("customers.")) == [(NEWEST, 2, "54.00")]
    late = "select order_date from {}orders where order_id = 'shop:o44_late'"
    assert shop.query(late.format("")) == []
    assert shop.build(late.format("core.")) == [(date(2023, 6, 15),)]
