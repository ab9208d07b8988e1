"""Does the dashboard show the marts' figures, in a real browser, calling nobody outside?

Expected figures are read from the published files by SQL of this file's own.
"""

import csv
import datetime
import io
import os
import re
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
from playwright.sync_api import Browser, Page

from dashboard.codes import OPENED_WITH, SUMMED, codes_of, over_time
from dashboard.serve import ADDRESS, SETTLED, served
from dashboard.view import View, change, count, decimal, rate, read_labels
from dashboard.views.segments import history
from dashboard.warehouse import DIMENSIONS, Warehouse
from orchestration.home import home
from orchestration.versions import current_number, versions_folder
from orchestration.wording import Language
from tests import shops

pytestmark = [pytest.mark.slow]

PAGES = (*("", "rfm", "value", "lifecycle", "clv", "movements", "segments", "customer", "trust"),)
TITLES = {
    "en": {"": "Customers as of", "rfm": "RFM grid", "trust": "Data trust"},
    "zh": {"": "客户总览", "rfm": "RFM矩阵", "trust": "数据可信度"},
}
# Streamlit asks below the page's own path first, and finds its server at the second try.
PROBE = re.compile(rf"^http://{re.escape(ADDRESS)}:\d+/\w+/_stcore/(health|host-config)$")
MONEY_AND_HEADS = ("customers", "net_revenue_12m", "customers_change", "net_revenue_12m_change")
# Where screens of all pages are kept for a person to look at, if anywhere.
SCREENS = os.environ.get("SEGMENTS_SCREENS")
PATIENCE = 60_000


@pytest.fixture(scope="module")
def sql(shop: shops.Warehouse) -> Callable[..., list[tuple]]:
    """Return a function that asks the published files."""
    connection = shop.connect()
    return lambda query, *bound: connection.execute(query, bound).fetchall()


@pytest.fixture(scope="module")
def warehouse(shop: shops.Warehouse) -> Warehouse:
    place = home(shop.root)
    return Warehouse(versions_folder(place) / str(current_number(place)))


# ---- Numbers ------------------------------------------------------------------------------------


def test_segments_of_the_newest_day_are_those_of_the_summary(warehouse, sql):
    rows = warehouse.ask("codes", warehouse.choice(), column="final_segment")
    shown = {
        row["code"]: (
            row["customers"],
            row["net_revenue_12m"],
            row["customers_change"],
            row["net_revenue_12m_change"],
        )
        for row in rows
    }
    published = sql(
        "select segment, customers, net_revenue_12m, customers_change, net_revenue_12m_change "
        "from segment_summary where customers > 0 or customers_change <> 0"
    )
    assert shown == {code: tuple(rest) for code, *rest in published}


def test_totals_are_those_of_the_reconciliation(warehouse, sql):
    (totals,) = warehouse.ask("totals", warehouse.choice())
    ((published,),) = sql(
        "select mart_total from reconciliation "
        "where mart = 'customer_segments' and measure = 'net_revenue_12m'"
    )
    ((customers, clv),) = sql("select count(*), sum(clv_predicted) from customer_clv")
    assert totals["net_revenue_12m"] == published
    assert (totals["customers"], totals["clv_predicted"]) == (customers, clv)


@pytest.mark.parametrize("dimension", DIMENSIONS)
def test_every_past_month_end_adds_up_by_every_dimension(warehouse, sql, dimension):
    for day in warehouse.days[1:4]:
        rows = warehouse.ask("codes", warehouse.choice(day), column=dimension)
        shown = {(row["code"], row["customers"]) for row in rows if row["customers"]}
        published = sql(
            f"select {dimension}, count(*) from customer_segments_history "
            "where as_of_date = ? group by 1",
            day,
        )
        assert shown == set(published)


def test_dimensions_asked_together_are_those_asked_alone(warehouse):
    """Never-ordered customers (no code) and codes that are empty today included."""

    def counted(rows: list[dict]) -> set[tuple]:
        return {(row["dimension"], row["code"], *(row[name] for name in SUMMED)) for row in rows}

    for choice in (warehouse.choice(), warehouse.choice(warehouse.days[2], types=("business",))):
        together = warehouse.ask("codes", choice, column=OPENED_WITH)
        alone = [warehouse.ask("codes", choice, column=each) for each in OPENED_WITH]
        assert counted(together) == set().union(*map(counted, alone))
        assert len(together) == sum(map(len, alone))


@pytest.mark.parametrize("back", [0, 1, 5])
def test_a_filter_lets_through_whom_the_profiles_name(warehouse, sql, back):
    """Now and at the month-end before, of the newest day and of past ones."""
    choice = warehouse.choice(
        warehouse.days[back], countries=("China", "unknown"), types=("consumer",)
    )
    view = View(warehouse, choice, Language.en, {}, {})
    asked = warehouse.ask("codes", choice, column="value_tier")
    chosen = (
        "customer_id in (select customer_id from customer_profiles "
        "where coalesce(country, 'unknown') in ('China', 'unknown') and customer_type = 'consumer')"
    )
    table = "customer_segments_history" if back else "customer_segments"
    expected = sql(
        f"""
        with now as (
            select coalesce(value_tier, 'none') as code, count(*) as customers,
                coalesce(sum(net_revenue_12m), 0) as money
            from {table} where as_of_date = ? and {chosen} group by 1
        ), before as (
            select coalesce(value_tier, 'none') as code, count(*) as customers,
                coalesce(sum(net_revenue_12m), 0) as money
            from customer_segments_history where as_of_date = ? and {chosen} group by 1
        )
        select code, coalesce(now.customers, 0), coalesce(now.money, 0),
            coalesce(now.customers, 0) - coalesce(before.customers, 0),
            coalesce(now.money, 0) - coalesce(before.money, 0)
        from now full join before using (code)
        """,
        choice.as_of,
        choice.before,
    )
    for rows in (asked, codes_of(view, "value_tier")):
        shown = {(row["code"] or "none", *(row[name] for name in MONEY_AND_HEADS)) for row in rows}
        assert shown == set(expected)
        assert sum(row["customers"] for row in rows) > 0


def test_a_segment_beside_all_customers_by_their_traits(warehouse, sql):
    rows = warehouse.ask("portrait", warehouse.choice(types=("business",)), column="value_tier")
    shown = {
        row["code"]: (row["customers"], row["all_customers"], row["all_answers"])
        for row in rows
        if row["segment"] == "mid" and row["trait"] == "need_type"
    }
    assert shown
    assert {
        code: tuple(rest)
        for code, *rest in sql(
            """
        select need_type, count(*) filter (where value_tier = 'mid'), count(*),
            sum(count(*)) over ()
        from customer_segments inner join customer_profiles using (customer_id)
        where customer_type = 'business'
        group by 1 having count(*) filter (where value_tier = 'mid') > 0
        """
        )
    } == shown


def test_filters_part_the_customers_without_losing_one(warehouse, sql):
    offered: dict[str, list[tuple[str, int]]] = {}
    for row in warehouse.ask("filters"):
        offered.setdefault(row["filter"], []).append((row["code"], row["customers"]))
    ((everybody,),) = sql("select count(*) from customer_segments")
    for name, values in offered.items():
        counted = [
            warehouse.ask("totals", warehouse.choice(**{name: (code,)}))[0]["customers"]
            for code, _ in values
        ]
        assert counted == [customers for _, customers in values]
        assert sum(counted) == everybody
    every = {name: tuple(code for code, _ in values) for name, values in offered.items()}
    assert warehouse.ask("totals", warehouse.choice(**every))[0]["customers"] == everybody


FILTERED = {
    "nothing": ({}, "true"),
    "a type": ({"types": ("business",)}, "customer_type = 'business'"),
    "a country and a channel": (
        {"countries": ("China",), "channels": ("online", "offline")},
        "country = 'China' and channel_preference in ('online', 'offline')",
    ),
    "nobody": ({"countries": ("Nowhere",)}, "false"),
}


@pytest.mark.parametrize("filtered", FILTERED)
def test_stage_moves_between_month_ends_are_the_published_transitions(warehouse, sql, filtered):
    filters, condition = FILTERED[filtered]
    day = warehouse.days[1]
    view = View(warehouse, warehouse.choice(day, **filters), Language.en, {}, {})
    shown = {
        (row["from_code"], row["to_code"]): row["customers"]
        for row in view.add_up("stage_moves", ["from_code", "to_code"], ["customers"])
        if row["from_code"] != row["to_code"]
    }
    chosen = f"customer_id in (select customer_id from customer_profiles where {condition})"
    published = sql(
        "select from_stage, to_stage, count(*) from lifecycle_transitions "
        f"where as_of_date = ? and from_stage is not null and {chosen} group by all",
        day,
    )
    assert shown == {(a, b): customers for a, b, customers in published}
    assert bool(shown) == (condition != "false")


@pytest.mark.parametrize("filtered", FILTERED)
def test_revenue_by_month_is_the_ledgers(warehouse, sql, filtered):
    filters, condition = FILTERED[filtered]
    view = View(warehouse, warehouse.choice(**filters), Language.en, {}, {})
    rows = view.add_up("revenue", ["month"], ["net_revenue"])
    chosen = f"customer_id in (select customer_id from customer_profiles where {condition})"
    published = sql(
        "select date_trunc('month', ledger_date)::date, sum(net_amount) from sales_ledger "
        f"where {chosen if filters else 'true'} group by 1 order by 1"
    )
    assert [(row["month"], row["net_revenue"]) for row in rows] == published
    assert (len(rows) > 12) == (condition != "false")


@pytest.mark.parametrize("filtered", FILTERED)
def test_stages_over_time_are_those_of_the_history(warehouse, sql, filtered):
    filters, condition = FILTERED[filtered]
    view = View(warehouse, warehouse.choice(**filters), Language.en, {}, {})
    rows = over_time(view, "lifecycle_stage")
    chosen = f"customer_id in (select customer_id from customer_profiles where {condition})"
    published = sql(f"""
        select as_of_date, lifecycle_stage, count(*) from (
            select as_of_date, customer_id, lifecycle_stage from customer_segments_history
            union all
            select as_of_date, customer_id, lifecycle_stage from customer_segments
        ) where {chosen} group by 1, 2
    """)
    assert {(row["as_of_date"], row["code"]): row["customers"] for row in rows} == {
        (day, code): customers for day, code, customers in published
    }


@pytest.mark.parametrize("filtered", FILTERED)
@pytest.mark.parametrize("dimension", ["final_segment", "value_tier"])
def test_a_segment_over_time_is_that_of_the_history(warehouse, sql, filtered, dimension):
    """One that the cube counts, and one that is asked of the customers."""
    filters, condition = FILTERED[filtered]
    view = View(warehouse, warehouse.choice(**filters), Language.en, {}, {})
    chosen = f"customer_id in (select customer_id from customer_profiles where {condition})"
    published = sql(f"""
        select as_of_date, {dimension}, count(*) from (
            select as_of_date, customer_id, {dimension} from customer_segments_history
            union all
            select as_of_date, customer_id, {dimension} from customer_segments
        ) where {chosen} and {dimension} is not null group by 1, 2 order by 1
    """)
    codes = {code for _, code, _ in published}
    assert bool(codes) == (condition != "false")
    for code in codes or {"mid"}:
        shown = [(row["as_of_date"], row["customers"]) for row in history(view, dimension, code)]
        assert shown == [(day, customers) for day, each, customers in published if each == code]


def test_no_month_end_before_the_first_has_no_change(warehouse):
    choice = warehouse.choice(warehouse.days[-1])
    assert choice.before is None
    rows = warehouse.ask("codes", choice, column="value_tier")
    assert {row["customers_change"] for row in rows} == {None}


def test_what_a_reader_types_is_bound_and_never_pasted(warehouse):
    hostile = "x' or '1'='1"
    choice = warehouse.choice(countries=(hostile,))
    assert warehouse.ask("totals", choice)[0]["customers"] == 0
    assert warehouse.ask("search", choice, id=hostile, most=5) == []
    with pytest.raises(KeyError):
        warehouse.ask("codes", warehouse.choice(), column="1; drop table x")
    with pytest.raises(KeyError):
        warehouse.ask("codes", warehouse.choice(), column=("value_tier", "1; drop table x"))


def test_the_dashboard_reads_nothing_beside_the_version(warehouse):
    cursor = warehouse._connection.cursor()
    for query in (
        "select * from read_text('/etc/passwd')",
        "copy (select 1) to '/tmp/dashboard_wrote_this.csv'",
        "create table marts.main.x as select 1",
        "set enable_external_access = true",
    ):
        with pytest.raises(duckdb.Error):
            cursor.execute(query)


# ---- The browser --------------------------------------------------------------------------------


class Screen:
    """A page of the dashboard in the browser, and what went wrong in it."""

    def __init__(self, browser: Browser, server: str, width: int = 1440) -> None:
        self.context = browser.new_context(
            viewport={"width": width, "height": 900}, accept_downloads=True
        )
        self.page: Page = self.context.new_page()
        self.server = server
        self.outside: list[str] = []
        self.errors: list[str] = []
        self.context.route("**/*", self._guard)
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("response", self._note)

    def _guard(self, route) -> None:
        if route.request.url.startswith((self.server, "data:", "blob:")):
            route.continue_()
        else:
            self.outside.append(route.request.url)
            route.abort()

    def _note(self, response) -> None:
        if response.status >= 400 and not PROBE.match(response.url):
            self.errors.append(f"{response.status} {response.url}")

    def _hear(self, message) -> None:
        # A refused request is reported twice, here without its address.
        if message.type == "error" and "Failed to load resource" not in message.text:
            self.errors.append(message.text)

    def open(self, path: str = "", **asked: str) -> "Screen":
        query = "&".join(f"{name}={value}" for name, value in asked.items())
        self.page.goto(f"{self.server}/{path}?{query}", timeout=PATIENCE)
        self.page.locator(".seg-foot", has_text=re.compile("ersion|版本")).wait_for(
            state="visible", timeout=PATIENCE
        )
        self.page.wait_for_function(SETTLED, timeout=PATIENCE)
        return self

    def figure(self, key: str) -> str:
        return self.page.locator(f"[data-figure='{key}'] .value").inner_text()

    def table(self, key: str) -> list[list[str]]:
        lines = self.page.locator(f"[data-table='{key}'] tbody tr").all()
        return [line.locator("td:not(.bar)").all_inner_texts() for line in lines]

    def close(self) -> None:
        self.context.close()


@pytest.fixture
def screen(browser: Browser, server: str):
    """Return an English page at a desk's width."""
    opened = Screen(browser, server)
    yield opened
    opened.close()


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_page_opens_without_an_error_and_calls_nobody(browser, server, sql, language):
    for width in (1440, 390):
        screen = Screen(browser, server, width)
        ((someone,),) = sql("select min(customer_id) from customer_segments where orders_12m > 3")
        for path in PAGES:
            asked = {"lang": language, **({"customer": someone} if path == "customer" else {})}
            screen.open(path, **asked)
            assert screen.page.locator("[data-testid=stException]").count() == 0, path
            heading = screen.page.locator("h1").inner_text()
            assert heading.startswith(TITLES[language].get(path, "")), heading
            # The page itself never scrolls sideways; wide tables do, in their own frame.
            overflow = screen.page.evaluate(
                "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            )
            assert overflow <= 0, f"{path} at {width}"
            # Nor does a name stand upright, a letter a line.
            assert screen.page.evaluate(UPRIGHT) == [], f"{path} at {width}"
            _picture(screen, f"{path or 'overview'}-{language}-{width}")
        assert screen.outside == []
        assert screen.errors == []
        screen.close()


# The cells of tables whose text has three lines or more of under three letters.
UPRIGHT = """
[...document.querySelectorAll('table.seg th, table.seg td')].filter(cell => {
    const range = document.createRange();
    range.selectNodeContents(cell);
    const lines = new Set([...range.getClientRects()].map(each => Math.round(each.top))).size;
    return lines >= 3 && cell.innerText.length / lines < 3;
}).map(cell => cell.innerText)
"""


def _picture(screen: Screen, name: str) -> None:
    """Keep what the page looks like, where that is asked for."""
    if SCREENS is None:
        return
    Path(SCREENS).mkdir(parents=True, exist_ok=True)
    height = screen.page.evaluate(
        "document.querySelector('[data-testid=stMain]')?.scrollHeight ?? 900"
    )
    width = screen.page.viewport_size["width"]
    screen.page.set_viewport_size({"width": width, "height": max(900, min(height, 6000))})
    screen.page.wait_for_timeout(400)
    screen.page.screenshot(path=Path(SCREENS) / f"{name}.png")
    screen.page.set_viewport_size({"width": width, "height": 900})


def test_chinese_pages_have_no_english_left(browser, server):
    screen = Screen(browser, server)
    # "download" is how an icon is written.
    allowed = {
        "download",
        "RFM",
        "ABC",
        "NPS",
        "CSV",
        "XLSX",
        "CLV",
        "BG/NBD",
        "MBG/NBD",
        "UTC",
        "A–E",
    }
    for path in ("", "rfm", "value", "lifecycle", "movements"):
        screen.open(path, lang="zh")
        text = screen.page.locator("[data-testid=stMain]").inner_text()
        for word in set(re.findall(r"[A-Za-z][A-Za-z/–]{2,}", text)) - allowed:
            assert re.fullmatch(r"[RFM]\d?|[a-f0-9]+|v?\d+", word), (path, word)
    screen.close()


def test_the_overview_shows_the_summary(screen, sql):
    screen.open()
    ((customers, money),) = sql("select sum(customers), sum(net_revenue_12m) from segment_summary")
    ((clv,),) = sql("select sum(clv_predicted) from customer_segments")
    assert screen.figure("customers") == count(customers)
    assert screen.figure("net_revenue_12m") == count(money)
    assert screen.figure("clv_predicted") == count(clv)
    published = sql(
        "select label_en, customers, customers_change, summary.net_revenue_12m, "
        "net_revenue_12m_change from segment_summary as summary "
        "inner join segment_labels as labels "
        "on labels.dimension = 'final_segment' and labels.code = summary.segment "
        "where customers > 0 order by labels.sort_order"
    )
    shown = [
        (name, customers, moved, money, money_moved)
        for name, customers, _, moved, money, _, money_moved in screen.table("final_segment")[:-1]
        if customers != "0"
    ]
    assert shown == [
        (name, count(a), change(b), count(c), change(d)) for name, a, b, c, d in published
    ]


def test_a_missing_feed_is_said_in_the_readers_language(browser, server, sql):
    ((en, zh),) = sql("select distinct note_en, note_zh from segment_summary")
    assert "categories are missing" in en
    for language, said in (("en", en), ("zh", zh)):
        screen = Screen(browser, server).open(lang=language)
        assert screen.page.locator(".seg-note").inner_text() == said
        screen.close()


def test_the_rfm_page_shows_the_segments(screen, sql):
    screen.open("rfm")
    published = sql(
        "select label_en, count(*) from customer_rfm inner join segment_labels as labels "
        "on labels.dimension = 'rfm_segment' and labels.code = rfm_segment "
        "group by all order by any_value(labels.sort_order)"
    )
    shown = {row[0]: row[1] for row in screen.table("rfm_segment")[:-1] if row[1] != "0"}
    assert shown == {name: count(customers) for name, customers in published}
    labels = screen.page.locator("[data-testid=stPlotlyChart] g.heatmap-label text")
    labels.first.wait_for(state="attached", timeout=PATIENCE)
    cells = [int(text.replace(",", "")) for text in labels.all_text_contents() if text]
    ((scored,),) = sql("select count(*) from customer_rfm where rfm_code is not null")
    assert sum(cells) == scored


def test_the_value_page_shows_the_groups(screen, sql):
    screen.open("value")
    for column in ("order_value_group", "value_potential_quadrant"):
        for code, customers in sql(
            f"select {column}, count(*) from customer_value where {column} is not null group by 1"
        ):
            assert screen.figure(f"{column}:{code}") == count(customers)


def test_the_lifecycle_page_shows_the_stages(screen, sql):
    screen.open("lifecycle")
    published = dict(
        sql(
            "select label_en, count(*) from customer_lifecycle inner join segment_labels as labels "
            "on labels.dimension = 'lifecycle_stage' and labels.code = lifecycle_stage group by 1"
        )
    )
    shown = {row[0]: row[1] for row in screen.table("lifecycle_stage")[:-1] if row[1] != "0"}
    assert shown == {name: count(customers) for name, customers in published.items()}


def test_the_clv_page_shows_the_forecast_and_the_card(screen, sql):
    screen.open("clv")
    ((total, middle, there),) = sql(
        "select sum(clv_predicted), median(clv_predicted), count(clv_predicted) from customer_clv"
    )
    assert screen.figure("clv_predicted") == count(total)
    assert screen.figure("clv_median") == decimal(middle)
    assert screen.figure("forecasts") == count(there)


def test_movements_balance_on_the_screen(screen, sql):
    screen.open("movements", dimension="value_tier")
    ((day,),) = sql("select max(as_of_date) from segment_migrations")
    ((opening, entries, exits, closing),) = sql(
        "select sum(customers) filter (where from_segment is not null), "
        "coalesce(sum(customers) filter (where from_segment is null), 0), "
        "coalesce(sum(customers) filter (where to_segment is null), 0), "
        "sum(customers) filter (where to_segment is not null) "
        "from segment_migrations where dimension = 'value_tier' and as_of_date = ?",
        day,
    )
    shown = {key: screen.figure(key) for key in ("opening", "entries", "exits", "closing")}
    assert shown == {
        "opening": count(opening),
        "entries": count(entries),
        "exits": count(exits),
        "closing": count(closing),
    }
    assert opening + entries == closing + exits
    *_, total = screen.table("matrix")
    assert total[-1] == count(opening + entries)


def test_a_segments_page_shows_its_summary_and_its_customers(screen, sql):
    screen.open("segments", by="final_segment")
    ((segment, customers, repeat, nps, csat),) = sql(
        "select segment, customers, repeat_rate, nps, csat_average from segment_summary "
        "where customers > 0 order by sort_order limit 1"
    )
    assert screen.figure("customers") == count(customers)
    assert screen.figure("repeat_rate") == rate(repeat)
    assert screen.figure("nps") == count(nps)
    assert screen.figure("csat_average") == decimal(csat)
    published = sql(
        "select customer_id, net_revenue_12m from customer_segments where final_segment = ? "
        "order by net_revenue_12m desc, customer_id limit 25",
        segment,
    )
    assert [(row[0], row[-2]) for row in screen.table("members")] == [
        (customer, decimal(money)) for customer, money in published
    ]


def test_a_customer_is_found_by_how_its_id_begins_and_explained(screen, sql):
    ((customer, money),) = sql(
        "select customer_id, net_revenue_12m from customer_segments where orders_12m > 5 "
        "order by customer_id limit 1"
    )
    bare = customer.split(":", 1)[1]
    screen.open("customer", customer=bare[:-2])
    listed = [row[0] for row in screen.table("found")]
    assert listed and all(each.startswith(f"shop:{bare[:-2]}") for each in listed)
    screen.open("customer", customer=bare)
    explained = screen.page.locator("[data-list='explanation']").inner_text()
    assert f"Net revenue of {decimal(money)} in 12 months" in explained
    assert screen.table("history")[0][-1] == decimal(money)
    screen.open("customer", customer="nobody-here")
    assert "nobody-here" in screen.page.locator(".seg-note").inner_text()


def test_data_trust_shows_the_reconciliation_and_the_deliveries(screen, sql):
    screen.open("trust")
    ((sums, off),) = sql(
        "select count(*), count(*) filter (where difference <> 0) from reconciliation"
    )
    assert screen.figure("reconciled") == f"{sums - off} / {sums}"
    published = sql("select mart, measure, mart_total from reconciliation order by 1, 2")
    shown = [(row[0], row[1], row[2]) for row in screen.table("reconciliation")]
    assert shown == [(mart, measure, decimal(total)) for mart, measure, total in published]
    ((rows,),) = sql("select sum(rows_landed + rows_quarantined) from deliveries")
    assert screen.figure("rows_delivered") == count(rows)


def test_a_past_day_and_a_filter_stand_in_the_address(screen, sql):
    ((day,),) = sql("select max(as_of_date) from customer_segments_history")
    screen.open("", as_of=day.isoformat(), type="business")
    ((customers,),) = sql(
        "select count(*) from customer_segments_history inner join customer_profiles "
        "using (customer_id) where customer_segments_history.as_of_date = ? "
        "and customer_type = 'business'",
        day,
    )
    assert screen.figure("customers") == count(customers)
    assert day.isoformat() in screen.page.locator("h1").inner_text()
    screen.page.get_by_role("link", name="Value").first.click()
    screen.page.locator("[data-table='value_tier']").wait_for(timeout=PATIENCE)
    screen.page.wait_for_url(re.compile(f"value.*as_of={day}"), timeout=PATIENCE)
    assert screen.table("value_tier")[-1][1] == count(customers)


def test_an_address_that_asks_for_what_is_not_there_is_the_default(screen, sql):
    screen.open("", as_of="1999-01-01", type="nobody", lang="xx")
    ((customers,),) = sql("select count(*) from customer_segments")
    assert screen.figure("customers") == count(customers)


def test_a_download_has_the_rows_of_the_mart(screen, sql, tmp_path):
    screen.open()
    with screen.page.expect_download(timeout=PATIENCE) as started:
        screen.page.get_by_role("button", name="CSV").first.click()
    path = tmp_path / "segments.csv"
    started.value.save_as(path)
    taken = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"))))
    published = sql("select segment, customers from segment_summary where customers > 0")
    assert {
        (row["code"], int(row["customers"])) for row in taken if row["customers"] != "0"
    } == set(published)
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")


def test_an_open_page_notices_a_new_version(screen, shop):
    place = home(shop.root)
    number = current_number(place)
    newer = _publish_again(shop)
    try:
        screen.open()
        foot = screen.page.locator(".seg-foot", has_text="ersion")
        assert f"Version {newer}," in foot.inner_text()
        _switch(shop, number)
        foot.filter(has_text=f"Version {number},").wait_for(timeout=PATIENCE)
    finally:
        _switch(shop, number)


def _publish_again(shop: shops.Warehouse) -> int:
    """Publish the same build once more, under the next number."""
    from orchestration.publish import publish

    return publish(home(shop.root)).version


def _switch(shop: shops.Warehouse, number: int) -> None:
    link = shop.root / "published" / "current"
    fresh = link.with_name("next")
    fresh.symlink_to(Path("versions") / str(number))
    os.replace(fresh, link)
    time.sleep(0.1)


def test_labels_are_known_for_every_code_that_is_shown(warehouse, sql):
    labels, _ = read_labels(warehouse)
    for dimension in DIMENSIONS:
        for (code,) in sql(
            f"select distinct {dimension} from customer_segments where {dimension} is not null"
        ):
            assert (dimension, code) in labels


def test_a_version_without_customers_is_told_in_a_sentence(browser, tmp_path):
    """What a run without a delivery publishes."""
    quick = shops.quick_run(tmp_path / "home", tested=True)
    with served(home(quick.root), tmp_path / "server.log") as address:
        page = browser.new_page()
        page.goto(address, timeout=PATIENCE)
        page.locator("h1", has_text="No customers yet").wait_for(timeout=PATIENCE)
        assert page.locator("[data-testid=stException]").count() == 0
        page.close()


def test_days_are_the_newest_then_the_month_ends(warehouse, sql):
    ((newest,),) = sql("select distinct as_of_date from customer_segments")
    month_ends = [
        day
        for (day,) in sql(
            "select distinct as_of_date from customer_segments_history order by 1 desc"
        )
    ]
    assert list(warehouse.days) == [newest, *(day for day in month_ends if day < newest)]
    assert isinstance(warehouse.days[0], datetime.date)
