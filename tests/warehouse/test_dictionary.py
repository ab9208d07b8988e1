"""The data dictionary: its page is current, its questions are the README's, its answers are true.

Answers are compared with the computations by hand, which share no code with the models, and with
laws that hold whatever the shop.
"""

import calendar
import csv
import difflib
import re
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import duckdb
import pytest

from orchestration import copies, dictionary
from orchestration.dictionary import Question, read_questions
from orchestration.home import PROJECT, home
from orchestration.readers import open_published
from tests.shops import Warehouse
from tests.warehouse import customers_by_hand, online_retail_by_hand, shop_by_hand
from tests.warehouse.customers_by_hand import Facts
from tests.warehouse.shop_by_hand import Shop

README = (PROJECT / "README.md").read_text(encoding="utf-8")
TABLES = dictionary.listed_tables(README)
QUESTIONS = dictionary.all_questions()
CASES = [
    pytest.param(question, id=f"{table}-{number}")
    for table, questions in QUESTIONS.items()
    for number, question in enumerate(questions, start=1)
]
# What the sample shop has nothing to answer with.
WITHOUT_ROWS = {
    "Whom did the new threshold move, and how much money with them?": "no rule changed so far",
    "Which mart is off, and by how much?": "a build with a difference is not published",
    "Which one was refused, and why?": "all files of the shop are whole",
    "Which reported month-ends were changed later, and why?": "the demo is one run",
    "How many customers and how much revenue did it change?": "as above",
    "Which products have no cost?": "the shop tells the cost of each",
}
# A column of such a name holds money, unless it is a share or a rate of it.
MONEY = re.compile(r"(?!.*_(share|rate)).*(amount|revenue|price|clv_).*")

Row = dict[str, Any]
Answer = Callable[[str], list[Row]]


@pytest.fixture(scope="module")
def published(sample_shop: Warehouse) -> Iterator[duckdb.DuckDBPyConnection]:
    with open_published(home(sample_shop.root)) as connection:
        yield connection


@pytest.fixture(scope="module")
def answer(published: duckdb.DuckDBPyConnection) -> Answer:
    """Return what gives the rows of a question, all of them where its list is limited."""
    known = {asked.text: asked.sql for each in QUESTIONS.values() for asked in each}

    def rows(question: str) -> list[Row]:
        found = published.execute(re.sub(r"\nlimit \d+;$", "", known[question]))
        names = [column[0] for column in found.description]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]

    return rows


@pytest.fixture(scope="module")
def shop(sample_shop: Warehouse) -> Shop:
    return shop_by_hand.compute(sample_shop.landing)


@pytest.fixture(scope="module")
def facts(shop: Shop) -> Facts:
    return customers_by_hand.facts_of_shop(shop)


def money(cents: int) -> Decimal:
    return Decimal(cents) / 100


# ---- The page ------------------------------------------------------------------------------------


def test_the_page_is_what_the_models_and_questions_say_now(manifest):
    committed = dictionary.PAGE.read_text(encoding="utf-8").splitlines()
    made = dictionary.dictionary(manifest).splitlines()
    changes = list(difflib.unified_diff(committed, made, "committed", "made", n=0, lineterm=""))
    assert changes == [], "docs/data-dictionary.md is out of date: run make docs"


def test_the_readme_lists_each_mart_under_the_file_that_holds_it(manifest):
    file_of = {schema: file for file, schemas in copies.FILES.items() for schema in schemas}
    assert {table.name: table.file for table in TABLES} == {
        name: file_of[model["schema"]] for name, model in dictionary.marts(manifest).items()
    }


def test_every_column_and_every_question_stands_on_the_page_once(manifest):
    page = dictionary.PAGE.read_text(encoding="utf-8")
    sections = dict(re.findall(r"^### (\w+)\n(.*?)(?=^##)", page, re.M | re.S))
    models = dictionary.marts(manifest)
    assert list(sections) == [table.name for table in TABLES]
    for table in TABLES:
        described = re.findall(r"^\| `(\w+)` \|", sections[table.name], re.M)
        assert described == list(models[table.name]["columns"])
        asked = re.findall(r"^\*\*(.+?\?)\*\*", sections[table.name], re.M)
        assert asked == list(table.questions)
        assert sections[table.name].count("```sql\n") == len(asked)


def test_every_link_of_the_page_leads_somewhere():
    page = dictionary.PAGE.read_text(encoding="utf-8")
    headings = re.findall(r"^#+ (.+)$", page, re.M)
    # As GitHub makes them: lower case, spaces as hyphens, no other signs.
    anchors = {re.sub(r"[^\w-]", "", heading.lower().replace(" ", "-")) for heading in headings}
    assert len(anchors) == len(headings)
    links = set(re.findall(r"\]\(([^)]+)\)", page))
    assert {link[1:] for link in links if link.startswith("#")} <= anchors
    files = [link for link in links if not link.startswith("#")]
    assert [link for link in files if not (PROJECT / "docs" / link).exists()] == []


def test_a_column_may_be_empty_unless_a_constraint_says_no(manifest, published):
    """What the page says of empty columns is true of what is published."""
    required = {
        (name, column["name"])
        for name, model in dictionary.marts(manifest).items()
        for column in model["columns"].values()
        if any(each["type"] == "not_null" for each in column["constraints"])
    }
    found = published.execute("""
        select table_name, column_name
        from duckdb_columns()
        where database_name in ('marts', 'history', 'facts') and not is_nullable
    """).fetchall()
    assert set(found) == required


def test_a_key_is_what_tests_prove(manifest):
    keys = dictionary.keys(manifest)
    assert keys["orders"] == [("order_id",)]
    assert keys["segment_separation"] == [("segment_separation_id",), ("as_of_date", "dimension")]
    assert keys["customer_segments_history"] == [("as_of_date", "customer_id")]


def test_a_cell_is_one_line_and_keeps_its_bars():
    assert (
        dictionary.table_of(["a", "b"], [("x |\ny", "")])
        == "| a | b |\n| --- | --- |\n| x \\| y | |"
    )


# ---- The questions -------------------------------------------------------------------------------


def test_a_question_has_its_note_and_its_statement():
    text = "-- Who?\n-- One\n-- note.\nselect 1;\n\n-- Why?\nselect\n    2;\n"
    assert read_questions(text) == [
        Question("Who?", "One note.", "select 1;"),
        Question("Why?", "", "select\n    2;"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "select 1;\n",
        "-- Who.\nselect 1;\n",
        "-- Who?\nselect 1\n",
        "-- Who?\n-- Why?\n",
        "-- Who?\nselect 1;\nselect 2;\n",
        "-- Who?\nselect 1;\n-- Why?\nselect 2;\n",
    ],
)
def test_what_is_no_question_with_one_statement_is_refused(text: str):
    with pytest.raises(ValueError, match="not questions with a statement each"):
        read_questions(text)


def test_every_published_table_has_the_questions_of_the_readme_and_no_others():
    assert {name: tuple(each.text for each in asked) for name, asked in QUESTIONS.items()} == {
        table.name: table.questions for table in TABLES
    }
    assert all(len(table.questions) == 2 for table in TABLES)
    assert WITHOUT_ROWS.keys() <= {each.text for asked in QUESTIONS.values() for each in asked}


@pytest.mark.parametrize("question", CASES)
def test_a_question_asks_its_table_for_a_settled_list_without_a_clock(question: Question, request):
    table = request.node.callspec.id.rsplit("-", 1)[0]
    assert re.search(rf"\b(from|join) (history\.|facts\.)?{table}\b", question.sql)
    assert not re.search(r"current_date|current_timestamp|\bnow\(|\btoday\(", question.sql)
    assert max(map(len, question.sql.splitlines())) <= 88


@pytest.mark.parametrize("question", CASES)
def test_a_question_has_an_answer_in_the_sample_shop(question: Question, published):
    found = published.execute(question.sql)
    loose = [
        name
        for name, kind, *_ in found.description
        if MONEY.fullmatch(name) and kind in ("DOUBLE", "FLOAT")
    ]
    rows = found.fetchall()
    assert (rows == []) == (question.text in WITHOUT_ROWS)
    assert len(rows) <= 24
    # In any order, one row is settled.
    assert len(rows) < 2 or "\norder by" in question.sql
    assert loose == []


def test_duckdb_alone_answers_as_the_page_says(sample_shop: Warehouse, published):
    folder = sample_shop.current.resolve()
    with duckdb.connect(str(folder / "marts.duckdb"), read_only=True) as connection:
        for name in ("history", "facts"):
            connection.execute(f"attach '{folder / name}.duckdb' as {name} (read_only)")
        for questions in QUESTIONS.values():
            for question in questions:
                rows = connection.execute(question.sql).fetchall()
                assert len(rows) == len(published.execute(question.sql).fetchall())


# ---- The answers ---------------------------------------------------------------------------------


def test_the_champions_are_those_of_the_scores_by_hand(answer, shop):
    rows = online_retail_by_hand.rfm_rows(shop.measures, shop.as_of)
    mine = {
        f"shop:{who}": money(shop.measures[who].net_revenue_12m)
        for who, row in rows.items()
        if row["rfm_segment"] == "champions"
    }
    found = answer("Who are our champions, and what did they spend?")
    assert {row["customer_id"]: row["net_revenue_12m"] for row in found} == mine
    assert {(row["champions"], row["champions_net_revenue_12m"]) for row in found} == {
        (len(mine), sum(mine.values()))
    }


def test_class_a_holds_the_first_80_percent_and_not_one_customer_more(answer, shop):
    found = answer("Who holds the first 80% of revenue (A)?")
    revenue = sorted(
        (each.net_revenue_12m for each in shop.measures.values() if each.net_revenue_12m > 0),
        reverse=True,
    )
    held = [sum(revenue[:number]) / sum(revenue) for number in range(1, len(revenue) + 1)]
    assert [row["net_revenue_12m"] for row in found] == [
        money(cents) for cents in revenue[: len(found)]
    ]
    assert [row["running_share"] for row in found] == pytest.approx(held[: len(found)], abs=1e-4)
    assert held[len(found) - 2] < 0.8 <= held[len(found) - 1]
    assert {row["customers_of_class_a"] for row in found} == {len(found)}


def test_a_customer_is_lost_on_the_day_foretold_if_it_orders_no_more(answer, facts):
    found = answer("In how many days does a customer count as lost?")
    lost_in = {row["customer_id"]: row["days_until_lost"] for row in found}
    lost_already = churned(facts, facts.newest)
    # One day after the other, since a day too early or too late would be no matter in the sum.
    for days in range(1, 15):
        mine = churned(facts, facts.newest + timedelta(days)) - lost_already
        assert {who for who, day in lost_in.items() if day <= days} == mine
    assert len(mine) > 20
    assert not lost_in.keys() & lost_already


def churned(facts: Facts, day: date) -> set[str]:
    return {
        who for who, stage in customers_by_hand.stages(facts, day).items() if stage == "churned"
    }


def test_each_customer_is_in_one_stage_and_their_shares_add_up(answer, facts):
    found = answer("Who is new, growing, mature, declining or gone?")
    stages = Counter(customers_by_hand.stages(facts, facts.newest).values())
    assert {row["stage"].lower(): row["customers"] for row in found} == stages
    assert sum(row["share"] for row in found) == pytest.approx(1, abs=0.004)


def test_the_mature_who_declined_in_may_are_those_by_hand(answer, facts):
    found = answer("How many mature customers declined in May?")
    assert len(found) == 2
    for row in found:
        before = customers_by_hand.stages(facts, row["as_of_date"].replace(month=4, day=30))
        after = customers_by_hand.stages(facts, row["as_of_date"])
        mine = [who for who in before if (before[who], after[who]) == ("maturity", "decline")]
        assert row["customers"] == len(mine) > 0


def test_last_month_s_top_customers_are_all_accounted_for(answer, published):
    went = answer("Where did last month's top customers go?")
    causes = answer("How much of it was their doing, and how much a new rule?")
    (days,) = {(row["from_as_of"], row["as_of_date"]) for row in went}
    mine = published.execute(
        """
        select label_en, count(*), sum(before.net_revenue_12m)
        from customer_segments_history as before
        left join customer_segments_history as after
            on before.customer_id = after.customer_id and after.as_of_date = ?
        left join segment_labels
            on dimension = 'final_segment' and code = after.final_segment
        where before.as_of_date = ? and before.final_segment = 'top'
        group by label_en
        """,
        [days[1], days[0]],
    ).fetchall()
    assert {
        (row["segment_after"], row["customers"], row["opening_net_revenue_12m"]) for row in went
    } == set(mine)
    left = sum(row["customers"] for row in went if row["segment_after"] != "Top")
    assert sum(row["customers"] for row in causes) == left > 0


def test_the_best_fifth_brings_what_it_brings_by_hand(answer, shop):
    (found,) = answer("What share of revenue do our best 20% bring?")
    revenue = sorted(
        (max(each.net_revenue_12m, 0) for each in shop.measures.values() if each.orders_12m),
        reverse=True,
    )
    best = -(-len(revenue) * 20 // 100)
    assert found["best_customers"] == best
    assert found["revenue_share"] == pytest.approx(sum(revenue[:best]) / sum(revenue), abs=1e-4)


def test_revenue_and_that_of_guests_are_those_of_the_files(answer, shop):
    years = {row["ledger_year"]: row for row in answer("How much came from guests?")}
    assert years.keys() == {entry.day.year for entry in shop.ledger}
    for year, row in years.items():
        entries = [entry for entry in shop.ledger if entry.day.year == year]
        guests = [entry.net for entry in entries if not entry.customer_id]
        assert row["net_revenue"] == money(sum(entry.net for entry in entries))
        assert row["guests_net_revenue"] == money(sum(guests)) > 0


def test_what_was_paid_back_in_a_month_is_what_the_files_say(answer, shop):
    paid_back = Counter()
    for entry in shop.ledger:
        if entry.entry_type in ("refund", "credit_note"):
            paid_back[entry.day.replace(day=1)] -= entry.net
    found = answer("How much was paid back, when?")
    assert {row["refund_month"]: row["refund_amount"] for row in found} == {
        month: money(cents) for month, cents in paid_back.items()
    }


def test_every_customer_lives_where_its_newest_record_says(answer, sample_shop, shop):
    records = shop_by_hand.winners(
        shop_by_hand.read_feed(sample_shop.landing, "customers"), "customer_id"
    )
    living = Counter(
        (record["country"], record["region"])
        for (who,), record in records.items()
        if who in shop.customers
    )
    found = answer("Where do our customers live?")
    assert {(row["country"], row["region"]): row["customers"] for row in found} == living


def test_the_cancelled_orders_are_those_of_the_files(answer, shop):
    found = answer("How many orders were cancelled or in an unknown currency?")
    mine = Counter(why for (feed, _), why in shop.rejected.items() if feed == "orders")
    assert {row["why"]: row["orders"] for row in found} == {"Order cancelled": mine["cancelled"]}


def test_the_latest_complaints_are_those_of_the_files(answer, shop):
    complaints = [each for each in shop.interactions if each["interaction_type"] == "complaint"]
    found = answer("Who complained lately?")
    assert [f"{row['occurred_at']:%Y-%m-%d %H:%M:%S}" for row in found] == sorted(
        (each["occurred_at"] for each in complaints), reverse=True
    )
    assert Counter(row["customer_id"] for row in found) == Counter(
        f"shop:{each['customer_id']}" for each in complaints
    )


def test_the_customer_of_low_value_is_of_low_value_by_hand(answer, shop):
    value = online_retail_by_hand.value_rows(shop.measures)["C0000100"]
    assert value["value_tier"] == "low"
    found = answer("Which rule decided, by which cut?")
    dimensions = ("value_tier", "spend_band", "frequency_band", "margin_band")
    assert {row["dimension"]: row["code"] for row in found} == {
        name: value[name] for name in dimensions
    }
    for row in found:
        if row["value"] is not None:
            assert row["lower_bound"] is None or row["lower_bound"] <= row["value"]
            assert row["upper_bound"] is None or row["value"] < row["upper_bound"]


def test_days_are_those_of_the_calendar(answer):
    for row in answer("Which weekday was it?"):
        assert row["weekday_number"] == row["date_day"].isoweekday()
        assert row["weekday"] == calendar.day_name[row["date_day"].weekday()]
    month_ends = [row["date_day"] for row in answer("Which days are month-ends?")]
    assert len(month_ends) > 24
    assert all((day + timedelta(1)).day == 1 for day in month_ends)


def test_the_chart_s_order_is_that_of_the_seed(answer):
    with (PROJECT / "seeds" / "labels.csv").open(encoding="utf-8") as stream:
        labels = [row for row in csv.DictReader(stream) if row["dimension"] == "final_segment"]
    labels.sort(key=lambda row: int(row["sort_order"]))
    found = answer("In which order do segments stand in a chart?")
    assert [(row["code"], row["label_zh"]) for row in found] == [
        (row["code"], row["label_zh"]) for row in labels
    ]
