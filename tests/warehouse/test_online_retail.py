"""Would an outsider get the same numbers from Online Retail II?

Each test compares the published tables with `online_retail_by_hand`, which shares no code with the
models; where a figure is published elsewhere, the reader itself is held against it.
"""

from collections import Counter
from collections.abc import Iterator

import duckdb
import pytest

from orchestration.evidence import read_evidence
from orchestration.explain import explain
from orchestration.home import PROJECT, home
from orchestration.wording import Language
from tests.warehouse import online_retail_by_hand as by_hand
from tests.warehouse.online_retail_by_hand import OnlineRetail, differences, published

ALL_ROWS = 1_067_371


@pytest.fixture(scope="module")
def computed(online_retail) -> OnlineRetail:
    (path,) = sorted((online_retail.landing / "online_retail" / "invoice_lines").glob("*.csv*"))
    return by_hand.compute(path)


@pytest.fixture(scope="module")
def warehouse(online_retail) -> Iterator[duckdb.DuckDBPyConnection]:
    with online_retail.connect() as connection:
        yield connection


def total(warehouse: duckdb.DuckDBPyConnection, expression: str, table: str) -> int:
    return int(warehouse.execute(f"select coalesce({expression}, 0) from {table}").fetchone()[0])


def test_the_reader_itself_reproduces_the_known_filter(computed):
    """Reference results: 805,549 rows, 5,878 customers, 36,969 invoices, 17,743,429.16."""
    rows = computed.rows
    known = rows[
        (rows["customer"] != "") & ~rows["is_credit"] & (rows["pieces"] > 0) & (rows["micros"] > 0)
    ]
    assert len(known) == 805_549
    assert known["customer"].nunique() == 5_878
    assert known["invoice"].nunique() == 36_969
    assert int(known["cents"].sum()) == 1_774_342_916
    unrounded = int((known["pieces"] * known["micros"]).sum())
    assert by_hand.half_away(by_hand.Fraction(unrounded, 10_000)) == 1_774_342_918


def test_every_row_of_the_file_is_accepted_rejected_or_a_duplicate(computed, warehouse):
    states = Counter(computed.rows["state"])
    assert states.total() == len(computed.rows) == ALL_ROWS
    assert states["duplicate"] == 22_523
    aside = "rejected_rows where source = 'online_retail' and rejection_reason"
    duplicates = total(warehouse, "count(*)", f"{aside} like 'duplicate%'")
    rejected = total(warehouse, "count(*)", f"{aside} not like 'duplicate%'")
    landed = total(warehouse, "sum(rows_landed)", "deliveries where source = 'online_retail'")
    assert (landed, duplicates, rejected) == (ALL_ROWS, states["duplicate"], states["rejected"])


def test_every_accepted_row_is_an_order_line_or_shipping_or_a_refund(computed, warehouse):
    accepted = computed.rows[computed.rows["state"] == "accepted"]
    is_shipping = accepted["treatment"] == "shipping"
    is_sale = ~accepted["is_credit"] & ~is_shipping
    assert total(warehouse, "count(*)", "order_lines") == int(is_sale.sum())
    assert total(warehouse, "count(*)", "refunds") == int(accepted["is_credit"].sum())
    assert not (is_shipping & accepted["is_credit"]).any()


def test_each_reason_of_the_code_list_sets_as_many_rows_aside(computed, warehouse):
    by_reason = dict(
        warehouse.execute(
            "select rejection_reason, count(*) from rejected_rows group by all"
        ).fetchall()
    )
    listed = by_hand.pd.read_csv(by_hand.SEEDS / "online_retail_codes.csv", dtype=str)
    reasons = listed["rejection_reason"].dropna().unique()
    mine = Counter(computed.rows["reason"])
    assert {each: by_reason.get(each, 0) for each in reasons} == {
        each: mine[each] for each in reasons
    }


def test_the_newest_as_of_is_the_day_of_the_newest_fact(computed, warehouse):
    for table in ("customers", "customer_rfm", "customer_value", "customer_segments"):
        days = warehouse.execute(f"select distinct as_of_date from {table}").fetchall()
        assert days == [(computed.as_of,)], table


def test_every_order_has_its_customer_day_money_and_void_day(computed, warehouse):
    mine = {
        key: {
            "customer_id": row.customer_id if isinstance(row.customer_id, str) else None,
            "order_date": row.day,
            "net_amount": row.net,
            "shipping_amount": row.shipping,
            "voided_on": row.voided_on if isinstance(row.voided_on, by_hand.Date) else None,
            "is_countable": row.net > 0,
        }
        for key, row in zip(
            computed.orders.index, computed.orders.itertuples(index=False), strict=True
        )
    }
    found = published(
        warehouse,
        "orders",
        "order_id",
        "customer_id",
        "order_date",
        "net_amount",
        "shipping_amount",
        "voided_on",
        "is_countable",
    )
    assert not differences(mine, found)


def test_the_ledger_holds_the_same_entries_by_order_day_and_type(computed, warehouse):
    key = ["entry_type", "order_id", "customer_id", "day"]
    ledger = computed.ledger.fillna({"order_id": "", "customer_id": ""})
    mine = {
        tuple(row[:4]): {"entries": row[4], "cents": row[5]}
        for row in ledger.groupby(key)["cents"]
        .agg(["size", "sum"])
        .reset_index()
        .itertuples(index=False, name=None)
    }
    cursor = warehouse.execute("""
        select entry_type, coalesce(order_id, ''), coalesce(customer_id, ''), ledger_date,
            count(*), (sum(net_amount) * 100)::bigint
        from sales_ledger group by all
    """)
    found = {tuple(row[:4]): {"entries": row[4], "cents": row[5]} for row in cursor.fetchall()}
    assert not differences(mine, found)


def test_the_ledger_adds_up_to_the_same_totals_for_customers_and_guests(computed, warehouse):
    ledger = computed.ledger
    mine = {
        (kind, is_guest): int(cents)
        for (kind, is_guest), cents in ledger["cents"]
        .groupby([ledger["entry_type"], ledger["customer_id"].isna()])
        .sum()
        .items()
    }
    cursor = warehouse.execute("""
        select entry_type, customer_id is null, (sum(net_amount) * 100)::bigint
        from sales_ledger group by all
    """)
    assert {(kind, guest): cents for kind, guest, cents in cursor.fetchall()} == mine


def test_every_credited_line_takes_back_the_same_sale_line(computed, warehouse):
    """Lines have no key in the file: equal ones are interchangeable, so their number counts."""
    refunds = computed.refunds
    tied = refunds[refunds["refunded_row"] >= 0]
    sold = computed.rows.loc[tied["refunded_row"], ["stock_code", "micros", "pieces"]]
    mine = Counter(
        zip(
            tied["customer_id"],
            tied["day"],
            tied["refund"],
            tied["refunded_order"],
            "online_retail:" + sold["stock_code"].array,
            sold["micros"],
            sold["pieces"],
            strict=True,
        )
    )
    mine.update(
        (row.customer_id, row.day, row.refund, None, None, None, None)
        for row in refunds[refunds["refunded_row"] < 0].itertuples()
    )
    cursor = warehouse.execute("""
        select refunds.customer_id, refunds.refund_date, (refunds.refund_amount * 100)::bigint,
            refunds.order_id, coalesce(order_lines.product_id, 'online_retail:D'),
            (order_lines.unit_price * 1000000)::bigint, order_lines.quantity::bigint
        from refunds left join order_lines using (order_id, line_number)
    """)
    found = Counter(row if row[3] else (*row[:4], None, None, None) for row in cursor.fetchall())
    assert not (mine - found) and not (found - mine), [
        *(mine - found).most_common(5),
        *(found - mine).most_common(5),
    ]


def test_the_same_customers_exist(computed, warehouse):
    found = {who for (who,) in warehouse.execute("select customer_id from customers").fetchall()}
    assert found == set(computed.measures)


def test_every_customer_has_the_same_recency_frequency_monetary_scores_and_segments(
    computed, warehouse
):
    mine = by_hand.rfm_rows(computed.measures, computed.as_of)
    columns = next(iter(mine.values()))
    assert not differences(mine, published(warehouse, "customer_rfm", "customer_id", *columns))


def test_every_customer_has_the_same_value_bands_tier_class_and_group(computed, warehouse):
    mine = by_hand.value_rows(computed.measures)
    columns = next(iter(mine.values()))
    assert not differences(mine, published(warehouse, "customer_value", "customer_id", *columns))


def test_the_wide_table_repeats_the_codes_of_its_parts(computed, warehouse):
    rfm = by_hand.rfm_rows(computed.measures, computed.as_of)
    value = by_hand.value_rows(computed.measures)
    mine = {who: rfm[who] | value[who] for who in computed.measures}
    wide = {name for name, *_ in warehouse.execute("describe customer_segments").fetchall()}
    columns = [name for name in next(iter(mine.values())) if name in wide]
    mine = {who: {name: row[name] for name in columns} for who, row in mine.items()}
    found = published(warehouse, "customer_segments", "customer_id", *columns)
    assert {"rfm_code", "headline_segment", "value_tier", "abc_class"} <= set(columns)
    assert not differences(mine, found)


def test_the_summary_counts_the_same_customers_and_money_by_segment(computed, warehouse):
    rows = by_hand.rfm_rows(computed.measures, computed.as_of)
    # The one rule of calibration that these data can meet: nobody delivers interactions (B9, M7).
    to_activate = {
        who
        for (who,) in warehouse.execute("""
            select customer_id from customer_engagement
            where loyalty_band = 'high' and activity_status = 'silent'
        """).fetchall()
    }
    mine: dict[str, dict[str, int]] = {}
    for who, row in rows.items():
        segment = "loyal_to_activate" if who in to_activate else row["headline_segment"]
        one = mine.setdefault(segment, {"customers": 0, "net_revenue_12m": 0})
        one["customers"] += 1
        one["net_revenue_12m"] += computed.measures[who].net_revenue_12m
    found = published(warehouse, "segment_summary", "segment", "customers", "net_revenue_12m")
    assert not differences(mine, {key: row for key, row in found.items() if row["customers"]})


def test_every_reconciliation_is_to_the_cent(computed, warehouse):
    rows = warehouse.execute("""
        select mart, measure, difference from reconciliation where difference is distinct from 0
    """).fetchall()
    assert not rows
    guests = computed.ledger.loc[computed.ledger["customer_id"].isna(), "cents"].sum()
    ledger_total, guest_total = warehouse.execute("""
        select (sum(net_amount) * 100)::bigint,
            (sum(net_amount) filter (where customer_id is null) * 100)::bigint
        from sales_ledger
    """).fetchone()
    assert (ledger_total, guest_total) == (int(computed.ledger["cents"].sum()), int(guests))


def test_the_readme_tells_a_merchant_what_the_model_card_says(warehouse):
    card = {
        tuple(key): value
        for *key, value in warehouse.execute("""
            select model, origin_date::varchar, horizon_days, measure, bucket, value
            from clv_model_card where source = 'online_retail'
        """).fetchall()
    }
    newest = "2011-12-09"
    (used,) = warehouse.execute(
        "select distinct model from clv_model_card where is_used and horizon_days > 0"
    ).fetchone()

    def told(measure: str, model: str = used, bucket: str = "all") -> float:
        return card[model, "2011-02-28", 273, measure, bucket]

    def backtests(model: str) -> int:
        return sum(key[0] == model and key[3] == "mae" for key in card)

    quarter = {
        origin: card[used, origin, 84, "aggregate_ratio", "all"]
        for origin in ("2011-02-28", "2011-08-31")
    }
    sentences = (
        f"by {used.upper().replace('BGNBD', 'BG/NBD')}, which was held against what came in "
        f"{backtests(used)} of {backtests('naive_rate')} backtests",
        f"foretold {told('aggregate_ratio'):.2f} times the order days of the next nine months "
        f"and was off by {told('mae'):.2f} a customer",
        f'"as often as so far" was off by {told("mae", "naive_rate"):.2f} and "as last year" by '
        f"{told('mae', 'last_year'):.2f}",
        f"{quarter['2011-02-28']:.2f} times the order days of the quarter from March and "
        f"{quarter['2011-08-31']:.2f} times those of the quarter from September",
        f"held what {told('coverage'):.0%} of customers spent in the nine months",
        f"{told('frequency_coverage', bucket='7+'):.0%} of those who had come back on seven "
        f"days or more and {told('decile_coverage', bucket='10'):.0%} of the tenth",
        f"correlation {card['gamma_gamma', newest, 0, 'spend_correlation', 'all']:.2f},",
        f"of spend at {told('spend_aggregate_ratio'):.2f} times what came",
    )
    readme = " ".join((PROJECT / "README.md").read_text(encoding="utf-8").split())
    assert [each for each in sentences if each not in readme] == []


def test_the_interval_of_the_model_that_scores_covers_in_every_bucket(warehouse):
    """At least 80% within three standard errors, where there are a hundred customers.

    Not so BG/NBD, unused, over the year from 2010-11-30: 69 to 76% for three repeat days and more.
    A year of data shows it no dropout, so 22% of the frequent, not 10%, spent less than the lower
    end; the upper end holds. MBG/NBD does not converge there, and foretells nothing.
    """
    rows = warehouse.execute("""
        select held.clv_model_card_id, held.value, customers.value
        from clv_model_card as held
        join clv_model_card as customers
            on customers.clv_model_card_id
            = replace(held.clv_model_card_id, '_coverage', '_customers')
        where held.is_used and customers.value >= 100
            and held.measure in ('frequency_coverage', 'decile_coverage')
    """).fetchall()
    assert len(rows) >= 60
    too_few = [row for row in rows if row[1] < 0.8 - 3 * (0.8 * 0.2 / row[2]) ** 0.5]
    assert too_few == []


@pytest.mark.parametrize(
    ("customer", "segment", "stage"),
    [
        ("17450", "Top (Champions)", "Maturity; Active"),
        ("12872", "Slipping (At risk)", "Churned; Silent"),
        ("12367", "Growing (New)", "New; Active"),
    ],
)
def test_a_wholesaler_a_lapsed_and_a_new_customer_are_explained_as_the_file_has_them(
    computed, online_retail, customer, segment, stage
):
    evidence = read_evidence(home(online_retail.root), customer, Language.en)
    items = {item.heading: item for item in explain(evidence, Language.en).items}
    mine = computed.measures[f"online_retail:{customer}"]

    def orders(count: int) -> str:
        return "1 order" if count == 1 else f"{count} orders"

    assert items["Segment"].verdict == segment
    assert items["Life stage"].verdict == stage
    days = (computed.as_of - mine.last_order).days
    assert items["Recency score"].why.startswith(f"Last order {days} days ago (")
    assert items["Frequency score"].why.startswith(f"{orders(mine.frequency)} in the ")
    assert items["Money score"].why.startswith(f"Net revenue of {mine.monetary / 100:,.2f} in ")
    assert items["Spend"].why.startswith(f"Net revenue of {mine.net_revenue_12m / 100:,.2f} in ")
    assert items["Frequency"].why.startswith(f"{orders(mine.orders_12m)} in 12 months (")
    held = sum(
        max(each.net_revenue_12m, 0)
        for each in computed.measures.values()
        if each.net_revenue_12m > mine.net_revenue_12m
    ) / sum(max(each.net_revenue_12m, 0) for each in computed.measures.values())
    assert f"hold {held * 100:.1f}% of it (" in items["ABC class"].why
