"""The files of the sample shop keep the contract, hang together, and hold what was planted."""

import hashlib
import json
from datetime import date, timedelta
from pathlib import Path

import duckdb
import numpy as np
import pyarrow.parquet as pq
import pytest
import yaml

from sample import behaviour
from sample import generate as module
from sample.generate import GeneratedShop, generate

CONTRACT = Path(__file__).parents[2] / "models/staging/shop/_shop__sources.yml"
LEFT_OUT = {"customer_links"}
END = date(2026, 6, 30)
CONNECTIONS: dict[Path, duckdb.DuckDBPyConnection] = {}
NET = "l.quantity * l.unit_price - coalesce(l.discount_amount, 0)"


def contract() -> dict[str, dict]:
    tables = yaml.safe_load(CONTRACT.read_text())["sources"][0]["tables"]
    return {table["name"]: table for table in tables}


def digests(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def as_text(shop: GeneratedShop, feed: str) -> str:
    """Return SQL that reads a feed with every column as text, `from_file` beside it."""
    folder = shop.landing / "shop" / feed
    if any(folder.glob("*.parquet")):
        return (
            f"(select columns(*)::varchar from read_parquet('{folder}/*.parquet', filename = true))"
        )
    return (
        f"read_csv('{folder}/*.csv*', all_varchar = true, header = true, delim = ',', "
        f"quote = '\"', filename = true)"
    )


def rows(sql: str) -> list[tuple]:
    """Run a query without tables of its own."""
    with duckdb.connect() as connection:
        return connection.execute(sql).fetchall()


def connect(shop: GeneratedShop) -> duckdb.DuckDBPyConnection:
    """Return a connection with each feed typed by the contract, `<feed>` newest revision only."""
    # Tests only read, so the ones that look at the same shop share a connection.
    if shop.landing in CONNECTIONS:
        return CONNECTIONS[shop.landing]
    connection = CONNECTIONS[shop.landing] = duckdb.connect()
    for feed, table in contract().items():
        if feed in LEFT_OUT or not (shop.landing / "shop" / feed).exists():
            continue
        columns = ", ".join(
            f"{column['name']}::{column['data_type']} as {column['name']}"
            for column in table["columns"]
        )
        connection.execute(
            f"create table all_{feed} as select {columns} from {as_text(shop, feed)}"
        )
        key = ", ".join(table["config"]["meta"]["key"])
        names = {column["name"] for column in table["columns"]}
        newest = "updated_at desc" if "updated_at" in names else "1"
        connection.execute(
            f"create table {feed} as select * from all_{feed} "
            f"qualify row_number() over (partition by {key} order by {newest}) = 1"
        )
    connection.execute(f"""
        create table nets as
        select
            o.order_id,
            sum({NET}) - coalesce(any_value(o.discount_amount), 0) as net,
            count(*) as line_count
        from orders o join order_lines l using (order_id) group by 1
    """)
    connection.execute(f"create table truth as select * from '{shop.truth}/customers.parquet'")
    return connection


@pytest.fixture(scope="module")
def demo(tmp_path_factory) -> GeneratedShop:
    return generate(tmp_path_factory.mktemp("demo"))


@pytest.fixture(scope="module")
def large(tmp_path_factory) -> GeneratedShop:
    return generate(tmp_path_factory.mktemp("large"), customers=20_000, file_format="parquet")


@pytest.fixture(scope="module")
def seasonal(tmp_path_factory) -> GeneratedShop:
    return generate(
        tmp_path_factory.mktemp("seasonal"),
        customers=20_000,
        file_format="parquet",
        behaviour="seasonal",
    )


@pytest.fixture(scope="module")
def in_blocks(tmp_path_factory) -> GeneratedShop:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "BLOCK", 500)
        return generate(tmp_path_factory.mktemp("blocks"), customers=1_300, seed=5)


@pytest.fixture(params=["demo", "large", "seasonal", "in_blocks"])
def shop(request) -> GeneratedShop:
    return request.getfixturevalue(request.param)


def one(connection: duckdb.DuckDBPyConnection, sql: str):
    return connection.execute(sql).fetchone()[0]


# The same arguments, the same bytes.


@pytest.mark.parametrize("file_format", ["csv", "csv.gz", "parquet"])
@pytest.mark.parametrize("kind", ["bgnbd", "seasonal"])
def test_same_arguments_give_the_same_bytes(tmp_path, file_format, kind):
    for name in ("one", "two"):
        generate(tmp_path / name, 300, 14, 7, kind, file_format=file_format)
    first, second = digests(tmp_path / "one"), digests(tmp_path / "two")
    assert first == second
    assert len(first) > 30


def test_another_seed_gives_another_shop(tmp_path):
    generate(tmp_path / "one", 300, 14, 7)
    generate(tmp_path / "two", 300, 14, 8)
    one, two = digests(tmp_path / "one"), digests(tmp_path / "two")
    differing = {name for name in one if one[name] != two.get(name)}
    assert differing >= {"landing/shop/customers/customers.csv", "truth/customers.parquet"}


def test_all_formats_hold_the_same_values(tmp_path):
    shops = {
        name: generate(tmp_path / name, 200, 8, 3, file_format=name)
        for name in ("csv", "csv.gz", "parquet")
    }
    for feed, table in contract().items():
        if feed in LEFT_OUT:
            continue
        columns = ", ".join(
            f"{column['name']}::{column['data_type']}" for column in table["columns"]
        )
        found = [
            rows(f"select {columns} from {as_text(each, feed)} order by all")
            for each in shops.values()
        ]
        assert found[0] == found[1] == found[2], feed


def test_a_second_run_with_the_same_arguments_changes_nothing(tmp_path):
    generate(tmp_path, 50, 3)
    before = digests(tmp_path)
    generate(tmp_path, 50, 3)
    assert digests(tmp_path) == before


def test_a_folder_with_another_shop_is_refused_and_left_alone(tmp_path):
    generate(tmp_path, 50, 3)
    before = digests(tmp_path)
    with pytest.raises(FileExistsError, match="empty folder"):
        generate(tmp_path, 60, 3)
    assert digests(tmp_path) == before


# The contract.


def test_every_value_meets_the_contract(shop):
    for feed, table in contract().items():
        if feed in LEFT_OUT:
            assert not (shop.landing / "shop" / feed).exists()
            continue
        source = as_text(shop, feed)
        delivered = [row[0] for row in rows(f"describe select * from {source}")]
        assert delivered == [column["name"] for column in table["columns"]] + ["filename"], feed
        checks = []
        for column in table["columns"]:
            name, kind = column["name"], column["data_type"]
            lost = f"{name} is not null and try_cast({name} as {kind}) is null"
            checks.append(f"count(*) filter ({lost})")
            if column.get("config", {}).get("meta", {}).get("required"):
                checks.append(f"count(*) filter (coalesce({name}, '') = '')")
        broken = rows(f"select {', '.join(checks)} from {source}")[0]
        assert sum(broken) == 0, (feed, checks, broken)
        key = ", ".join(table["config"]["meta"]["key"])
        repeated = rows(
            f"select count(*) from "
            f"(select 1 from {source} group by {key}, filename having count(*) > 1)"
        )[0][0]
        assert repeated == 0, feed
        assert rows(f"select count(*) from {source}")[0][0] == shop.rows[feed]


def test_parquet_has_the_types_of_the_contract(large):
    names = {"string": "VARCHAR", "decimal(18,6)": "DECIMAL(18,6)"}
    for feed, table in contract().items():
        if feed in LEFT_OUT:
            continue
        found = rows(f"describe select * from '{large.landing}/shop/{feed}/*.parquet'")
        wanted = {
            column["name"]: names.get(column["data_type"], column["data_type"].upper())
            for column in table["columns"]
        }
        assert {row[0]: row[1] for row in found} == wanted, feed


def test_csv_amounts_are_plain_decimals_and_times_are_plain_utc(demo):
    patterns = {
        "decimal(18,6)": r"-?[0-9]+(\.[0-9]{1,4})?",
        "timestamp": r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d",
    }
    for feed, table in contract().items():
        checks = [
            f"count(*) filter (not regexp_full_match({column['name']}, '{pattern}'))"
            for column in table["columns"]
            if (pattern := patterns.get(column["data_type"]))
        ]
        if feed in LEFT_OUT or not checks:
            continue
        odd = rows(f"select {', '.join(checks)} from {as_text(demo, feed)}")[0]
        assert sum(odd) == 0, (feed, checks, odd)


def test_codes_are_those_of_the_contract(shop):
    connection = connect(shop)

    def values(sql):
        return {row[0] for row in connection.execute(sql).fetchall()}

    assert values("select distinct status from orders") == {
        "completed",
        "pending",
        "cancelled",
        "test",
    }
    assert values("select distinct channel from orders") == {"online", "offline"}
    assert values("select distinct currency from orders") == {"CNY", "USD", None}
    assert values("select distinct customer_type from customers") == {"business", "consumer"}
    assert values("select distinct product_kind from products") == {"product", "service"}
    assert values("select distinct price_tier from products") == {"premium", "value"}
    assert values("select distinct arm from campaign_contacts") == {"treatment", "control"}
    assert values("select distinct interaction_type from interactions") == {
        "register",
        "login",
        "verify",
        "visit",
        "consultation",
        "campaign_activity",
        "service_ticket",
        "complaint",
        "csat",
        "nps",
        "review",
        "referral",
    }
    assert 8 <= len(values("select distinct category from products")) <= 12
    assert values("select distinct score from interactions where interaction_type = 'csat'") <= {
        1,
        2,
        3,
        4,
        5,
    }
    assert values("select distinct score from interactions where interaction_type = 'nps'") <= set(
        range(11)
    )


# What hangs together.


def test_nothing_is_dated_after_the_end_or_before_the_start(shop):
    connection = connect(shop)
    told = json.loads((shop.truth / "parameters.json").read_text())
    first = date.fromisoformat(told["first_day"])
    for feed, table in contract().items():
        for column in table["columns"]:
            if feed in LEFT_OUT or column["data_type"] not in ("date", "timestamp"):
                continue
            if column["name"] == "birth_date":
                continue
            late, early = connection.execute(
                f"select count(*) filter ({column['name']}::date > ?), "
                f"count(*) filter ({column['name']}::date < ?) from all_{feed}",
                [END, first],
            ).fetchone()
            assert (late, early) == (0, 0), (feed, column["name"])


def test_orders_lie_in_the_file_of_their_month_with_all_their_lines(shop):
    misplaced = rows(f"""
        select count(*) from {as_text(shop, "orders")}
        where filename not like '%corrections%'
            and not contains(filename, 'orders_' || ordered_at[:7] || '.')
    """)[0][0]
    assert misplaced == 0
    split = rows(f"""
        with lines as (
            select distinct order_id,
                replace(parse_filename(filename), 'order_lines', 'orders') as file
            from {as_text(shop, "order_lines")}
        ),
        heads as (
            select order_id, parse_filename(filename) as file from {as_text(shop, "orders")}
        )
        select count(*) from heads full join lines using (order_id, file)
        where heads.order_id is null or lines.order_id is null
    """)[0][0]
    assert split == 0


def test_ids_relate(shop):
    connection = connect(shop)
    for feed, column, parent, where in (
        ("orders", "customer_id", "customers", "status <> 'test'"),
        ("order_lines", "order_id", "orders", "true"),
        ("order_lines", "product_id", "products", "true"),
        ("refunds", "order_id", "orders", "true"),
        ("refunds", "customer_id", "customers", "true"),
        ("interactions", "customer_id", "customers", "true"),
        ("interactions", "order_id", "orders", "true"),
        ("interactions", "campaign_id", "campaigns", "true"),
        ("campaign_contacts", "campaign_id", "campaigns", "true"),
        ("campaign_contacts", "customer_id", "customers", "true"),
        ("segment_overrides", "customer_id", "customers", "true"),
        ("recommendations_shown", "customer_id", "customers", "true"),
        ("recommendations_shown", "product_id", "products", "true"),
    ):
        key = column
        orphans = one(
            connection,
            f"""
            select count(*) from {feed} where {column} is not null and {where}
                and {column} not in (select {key} from {parent})
        """,
        )
        assert orphans == 0, (feed, column)
    assert (
        one(
            connection,
            """
        select count(*) from customers c join customers r
            on r.customer_id = c.referrer_customer_id
        where c.customer_id = r.customer_id
    """,
        )
        == 0
    )
    assert (
        one(
            connection,
            """
        select count(*) from customers c
        where referrer_customer_id is not null and not exists (
            select 1 from interactions i where i.interaction_type = 'referral'
                and i.customer_id = c.referrer_customer_id
                and i.referred_customer_id = c.customer_id)
    """,
        )
        == 0
    )
    assert (
        one(
            connection,
            "select count(*) from orders where status = 'test' "
            "and customer_id is distinct from 'TEST'",
        )
        == 0
    )


def test_the_truth_names_the_same_customers_and_lies_outside_landing(shop):
    connection = connect(shop)
    assert (
        one(
            connection,
            """
        select count(*) from truth full join customers using (customer_id)
        where truth.customer_id is null or customers.customer_id is null
            or truth.customer_type <> customers.customer_type
            or truth.registered_at <> customers.registered_at
    """,
        )
        == 0
    )
    assert shop.landing not in shop.truth.parents
    assert not list(shop.landing.rglob("*param*")) and not list(shop.landing.rglob("*truth*"))
    assert {path.name for path in shop.landing.iterdir()} == {"shop"}


def test_completed_orders_of_customers_are_the_planted_ones(shop):
    connection = connect(shop)
    assert (
        one(
            connection,
            """
        with counted as (
            select customer_id, count(*) as made, min(ordered_at)::date as first_day
            from orders where status = 'completed' group by 1
        )
        select count(*) from truth left join counted using (customer_id)
        where coalesce(made, 0) <> planted_orders + campaign_orders
            or (made > 0) = is_prospect
            or first_day is distinct from acquired_on
    """,
        )
        == 0
    )


def test_registration_comes_before_the_first_order(shop):
    connection = connect(shop)
    assert (
        one(
            connection,
            """
        select count(*) from orders join customers using (customer_id)
        where status = 'completed' and ordered_at < registered_at
    """,
        )
        == 0
    )


def test_a_refund_follows_its_order_and_never_exceeds_it(shop):
    connection = connect(shop)
    assert one(connection, "select count(*) from refunds where amount <= 0") == 0
    assert (
        one(
            connection,
            """
        with paid_back as (
            select order_id, sum(amount) as amount, min(refunded_at) as refunded_at
            from refunds where order_id is not null group by 1
        )
        select count(*) from paid_back join orders using (order_id) join nets using (order_id)
        where amount > net or refunded_at <= ordered_at or status <> 'completed'
    """,
        )
        == 0
    )
    assert (
        one(
            connection,
            """
        select count(*) from refunds where order_id is null and customer_id is null
    """,
        )
        == 0
    )
    assert one(connection, "select count(*) from refunds where order_id is null") > 0


def test_whole_lines_and_whole_orders_are_paid_back_to_the_cent(large):
    connection = connect(large)
    # Only a line refund with all its pieces is a whole line; nothing is left to share or round.
    lines, odd_lines = connection.execute(f"""
        select count(*), count(*) filter (
            r.amount <> case when n.line_count = 1 then n.net else {NET} end
            or (n.line_count > 1 and o.discount_amount is not null))
        from refunds r join order_lines l using (order_id, line_number)
        join orders o using (order_id) join nets n using (order_id)
        where r.quantity = l.quantity
    """).fetchone()
    wholes, odd_wholes = connection.execute("""
        select count(*), count(*) filter (
            n.line_count > 1 and (o.discount_amount is not null or o.currency = 'USD'))
        from refunds r join orders o using (order_id) join nets n using (order_id)
        where r.line_number is null and r.amount = n.net
    """).fetchone()
    partial = one(
        connection,
        """
        select count(*) from refunds r join order_lines l using (order_id, line_number)
        where r.quantity < l.quantity
    """,
    )
    assert min(lines, wholes, partial) > 100
    assert (odd_lines, odd_wholes) == (0, 0)


def test_orders_are_worth_something_and_prices_are_positive(shop):
    connection = connect(shop)
    assert one(connection, "select count(*) from nets where net <= 0") == 0
    assert one(connection, "select count(*) from order_lines where unit_price <= 0") == 0
    assert one(connection, "select count(*) from order_lines where unit_cost <= 0") == 0
    assert one(connection, "select count(*) from products where unit_cost <= 0") == 0
    assert one(connection, "select count(*) from order_lines where quantity = 0") == 0
    assert one(connection, "select max(line_number) from order_lines") <= 6
    assert one(connection, "select min(line_number) from order_lines") == 1
    assert one(connection, "select count(*) from order_lines where quantity < 0") > 0
    # No product twice in an order, but on a return line.
    assert (
        one(
            connection,
            """
        select count(*) from (select 1 from order_lines where quantity > 0
            group by order_id, product_id having count(*) > 1)
    """,
        )
        == 0
    )


def test_corrections_are_newer_and_bring_all_lines(shop):
    text = as_text(shop, "orders")
    stale = rows(f"""
        with late as (select * from {text} where filename like '%corrections%')
        select count(*), count(*) filter (
            o.order_id is null or o.updated_at >= late.updated_at
            or o.ordered_at <> late.ordered_at)
        from late left join (select * from {text} where filename not like '%corrections%') o
            using (order_id)
    """)[0]
    assert stale[0] > 0 and stale[1] == 0
    lines = as_text(shop, "order_lines")
    changed, missing = rows(f"""
        with late as (select * from {lines} where filename like '%corrections%'),
        early as (
            select * from {lines} where filename not like '%corrections%'
                and order_id in (select order_id from late)
        )
        select count(*) filter (late.unit_price <> early.unit_price
                or late.quantity <> early.quantity),
            count(*) filter (late.order_id is null or early.order_id is null)
        from late full join early using (order_id, line_number)
    """)[0]
    assert changed > 0 and missing == 0
    revisions = rows(f"""
        select count(*) filter (filename like '%update%'), count(distinct customer_id)
        from {as_text(shop, "customers")}
    """)[0]
    assert revisions[0] > 0


# What a merchant would expect, and what was planted.


def test_the_default_shop_has_a_spread_that_the_thresholds_divide(demo):
    connection = connect(demo)
    high, middle, silent, once, often = connection.execute("""
        with yearly as (
            select
                customer_id,
                coalesce(sum(net * if(currency = 'USD', 7, 1))
                    filter (ordered_at >= '2025-07-01'), 0) as revenue,
                count(*) as orders,
                count(*) filter (ordered_at >= '2025-07-01') as orders_12m
            from orders join nets using (order_id)
            where status = 'completed' and customer_id is not null group by 1
        )
        select avg((revenue >= 10000)::int), avg((revenue between 3000 and 10000)::int),
            avg((orders_12m = 0)::int), avg((orders = 1)::int), avg((orders_12m >= 12)::int)
        from yearly
    """).fetchone()
    assert 0.07 < high < 0.20
    assert 0.12 < middle < 0.35
    assert 0.10 < silent < 0.25
    assert 0.15 < once < 0.45
    assert 0.03 < often < 0.20


def test_shares_of_statuses_guests_and_currencies(large):
    connection = connect(large)
    completed, cancelled, guests = connection.execute("""
        select avg((status = 'completed')::int), avg((status = 'cancelled')::int),
            avg((customer_id is null)::int) from orders
    """).fetchone()
    assert completed == pytest.approx(0.97, abs=0.02)
    assert cancelled == pytest.approx(0.02, abs=0.01)
    assert guests == pytest.approx(0.02, abs=0.01)
    dollars = one(
        connection,
        """
        select avg((currency is not distinct from 'USD')::int)
        from orders join customers using (customer_id) where customer_type = 'business'
    """,
    )
    assert dollars == pytest.approx(0.10, abs=0.03)
    assert (
        one(
            connection,
            "select count(*) from orders where status = 'pending' "
            "and ordered_at < timestamp '2026-06-28'",
        )
        == 0
    )
    assert (
        one(
            connection,
            "select count(*) from orders join customers using (customer_id) "
            "where currency = 'USD' and customer_type = 'consumer'",
        )
        == 0
    )


def test_repeat_orders_match_the_formula_of_bg_nbd(large):
    truth = pq.read_table(large.truth / "customers.parquet").to_pydict()
    kind, prospect = np.array(truth["customer_type"]), np.array(truth["is_prospect"])
    for number, name in enumerate(behaviour.TYPES):
        mine = (kind == name) & ~prospect
        repeats = np.array(truth["planted_orders"])[mine] - 1
        weeks = np.array(truth["weeks_observed"], dtype=float)[mine]
        expected = behaviour.expected_repeats(behaviour.BGNBD[number], weeks)
        error = repeats.std() / np.sqrt(len(repeats))
        assert abs(repeats.mean() - expected.mean()) < 4 * error
        assert error < 0.05 * expected.mean()


def hypergeometric_mean(each: behaviour.BgNbd, t: float) -> float:
    """E[X(t)] as Fader, Hardie and Lee (2005), eq. 9, print it, the series summed term by term."""
    z, c = t / (each.alpha + t), each.a + each.b - 1
    term, total = 1.0, 1.0
    for n in range(20_000):
        term *= (each.r + n) * (each.b + n) / ((c + n) * (n + 1)) * z
        total += term
    left = (each.alpha / (each.alpha + t)) ** each.r * total
    return c / (each.a - 1) * (1 - left)


def test_expected_repeats_equals_the_closed_form_where_there_is_one():
    # Without dropout (a -> 0) the mean is r t / alpha; the short run of a process too.
    nearly = behaviour.BgNbd(r=0.8, alpha=5.0, a=1e-4, b=50.0)
    assert behaviour.expected_repeats(nearly, np.array([10.0]))[0] == pytest.approx(1.6, rel=1e-3)
    short = behaviour.expected_repeats(behaviour.BGNBD[0], np.array([1e-4]))[0]
    rate = behaviour.BGNBD[0].r / behaviour.BGNBD[0].alpha
    assert short == pytest.approx(1e-4 * rate, rel=1e-3)
    for each in (*behaviour.BGNBD, behaviour.BgNbd(r=0.24259, alpha=4.41360, a=0.79292, b=2.42591)):
        for weeks in (1.0, 39.0, 130.0):
            mean = behaviour.expected_repeats(each, np.array([weeks]))[0]
            assert mean == pytest.approx(hypergeometric_mean(each, weeks), rel=2e-3)


def test_order_values_follow_the_planted_means(large):
    connection = connect(large)
    ratios = connection.execute("""
        select customer_type,
            sum(net * if(currency = 'USD', 7, 1)) / sum(mean_order_value)
        from all_orders o join nets using (order_id) join truth using (customer_id)
        where status = 'completed' group by 1
    """).fetchall()
    for name, ratio in ratios:
        assert ratio == pytest.approx(1.0, abs=0.04), name


@pytest.mark.parametrize("name", ["large", "seasonal"])
def test_the_planted_lift_is_found_again(request, name):
    shop = request.getfixturevalue(name)
    connection = connect(shop)
    planted = {
        campaign["campaign_id"]: campaign
        for campaign in json.loads((shop.truth / "parameters.json").read_text())["campaigns"]
    }
    measured = connection.execute("""
        with answers as (
            select c.campaign_id, c.customer_id, c.arm, max((o.order_id is not null)::int) as hit
            from campaign_contacts c left join orders o on o.customer_id = c.customer_id
                and o.status = 'completed'
                and date_diff('day', c.contacted_at::date, o.ordered_at::date) between 1 and 30
            group by all
        )
        select campaign_id,
            avg(hit) filter (arm = 'treatment'), count(*) filter (arm = 'treatment'),
            avg(hit) filter (arm = 'control'), count(*) filter (arm = 'control')
        from answers group by 1
    """).fetchall()
    assert len(measured) == len(planted) == 10
    weight_sum, excess_sum, lift_sum = 0.0, 0.0, 0.0
    for campaign_id, treated_rate, treated, control_rate, control in measured:
        assert treated == planted[campaign_id]["treated"]
        assert control == planted[campaign_id]["control"]
        variance = treated_rate * (1 - treated_rate) / treated
        variance += control_rate * (1 - control_rate) / control
        lift, wanted = treated_rate - control_rate, planted[campaign_id]["lift"]
        assert abs(lift - wanted) < 4 * np.sqrt(variance), campaign_id
        weight_sum += 1 / variance
        excess_sum += (lift - wanted) / variance
        lift_sum += lift / variance
    # Together they are found sharply: near what was planted and far from nothing.
    error = 1 / np.sqrt(weight_sum)
    assert abs(excess_sum / weight_sum) < 4 * error
    assert lift_sum / weight_sum > 8 * error


def test_seasonal_buyers_are_regular_and_peak_before_new_year(large, seasonal):
    figures = {}
    for name, shop in (("bgnbd", large), ("seasonal", seasonal)):
        connection = connect(shop)
        variation = one(
            connection,
            """
            with days as (
                select distinct customer_id, ordered_at::date as day from orders
                where status = 'completed' and customer_id is not null
            ),
            gaps as (
                select customer_id,
                    day - lag(day) over (partition by customer_id order by day) as gap from days
            )
            select median(variation) from (
                select stddev(gap) / avg(gap) as variation from gaps
                where gap is not null group by customer_id having count(*) >= 5)
        """,
        )
        by_month = dict(
            connection.execute("""
            select month(ordered_at), count(*) / count(distinct ordered_at::date) from orders
            where ordered_at between '2025-07-01' and '2026-07-01' group by 1
        """).fetchall()
        )
        # The shop grows: November and February against the months beside them.
        peak = (by_month[11] + by_month[12]) / (by_month[10] + by_month[1])
        dip = by_month[2] / (by_month[1] + by_month[3]) * 2
        weekend = one(
            connection,
            """
            select avg((isodow(ordered_at) >= 6)::int)
            from orders join customers using (customer_id) where customer_type = 'business'
        """,
        )
        figures[name] = (variation, peak, dip, weekend)
    assert figures["seasonal"][0] < 0.7 * figures["bgnbd"][0]
    assert figures["bgnbd"][0] > 0.75
    assert figures["seasonal"][1] > 1.4 > 1.1 > figures["bgnbd"][1]
    assert figures["seasonal"][2] < 0.7 < 0.9 < figures["bgnbd"][2]
    assert figures["seasonal"][3] < 0.18 < 0.25 < figures["bgnbd"][3]


def test_seasonal_prices_rise_twice(seasonal):
    connection = connect(seasonal)
    changes = json.loads((seasonal.truth / "parameters.json").read_text())["price_changes"]
    assert len(changes) == 2
    for change in changes:
        day = date.fromisoformat(change["day"])
        ratio = one(
            connection,
            f"""
            with prices as (
                select product_id,
                    avg(unit_price) filter (ordered_at >= '{day}') as dearer,
                    avg(unit_price) filter (ordered_at < '{day}') as cheaper
                from order_lines join orders using (order_id)
                where currency = 'CNY' and ordered_at between '{day - timedelta(60)}'
                    and '{day + timedelta(60)}' group by 1
            )
            select avg(dearer / cheaper) from prices
        """,
        )
        assert ratio == pytest.approx(change["factor"], abs=0.01)


def test_mended_complaints_end_in_better_answers(large):
    connection = connect(large)
    mended, left = connection.execute("""
        with complaints as (
            select customer_id, order_id, resolved_at is not null as is_mended
            from interactions where interaction_type = 'complaint'
        )
        select avg(score) filter (is_mended), avg(score) filter (not is_mended)
        from interactions i join complaints using (customer_id, order_id)
        where i.interaction_type = 'csat'
    """).fetchone()
    assert mended > left + 0.8


# Sizes and bad arguments.


@pytest.mark.parametrize("customers, months", [(1, 30), (1, 1), (2, 2), (200, 30), (40, 1)])
@pytest.mark.parametrize("kind", ["bgnbd", "seasonal"])
def test_small_shops_work(tmp_path, customers, months, kind):
    for seed in range(3):
        shop = generate(tmp_path / str(seed), customers, months, seed, kind)
        assert shop.rows["orders"] >= 1 and shop.rows["order_lines"] >= 1
        assert shop.rows["customers"] >= customers
        connection = connect(shop)
        assert one(connection, "select count(*) from orders where status = 'completed'") >= 1
        assert one(connection, "select max(ordered_at)::date from orders") <= END


def test_another_end_within_a_month(tmp_path):
    shop = generate(tmp_path, 300, 4, end=date(2024, 2, 29))
    connection = connect(shop)
    first, last = connection.execute(
        "select min(ordered_at), max(ordered_at) from orders"
    ).fetchone()
    assert first.date() >= date(2023, 11, 1) and last.date() <= date(2024, 2, 29)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"customers": 0}, "at least 1"),
        ({"months": 0}, "give 1 to"),
        ({"months": 10_000}, "give 1 to"),
        ({"seed": -1}, "from 0"),
        ({"behaviour": "chaos"}, "bgnbd, seasonal"),
        ({"file_format": "xlsx"}, "csv, csv.gz, parquet"),
        ({"end": date(1980, 1, 1)}, "after 1990"),
    ],
)
def test_bad_arguments_say_what_to_give(tmp_path, arguments, message):
    with pytest.raises(ValueError, match=message):
        generate(tmp_path / "shop", **arguments)
    assert not (tmp_path / "shop").exists()


def test_progress_is_told_in_words(tmp_path):
    told = []
    generate(tmp_path, 30, 2, progress=told.append)
    assert told == ["30 of 30 customers"]
