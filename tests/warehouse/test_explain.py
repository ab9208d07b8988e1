"""Can every kind of customer of the sample shop be explained, and with the figures of the marts?"""

import re

import duckdb
import pytest
from rich.console import Console

from orchestration.evidence import read_evidence
from orchestration.explain import Explanation, explain, render, render_reasons
from orchestration.home import home
from orchestration.wording import Language
from tests.shops import segments

EN, ZH = Language.en, Language.zh

# One customer for each code, rule and kind of value: what can be said of anybody is said of one.
KINDS = """
    select distinct customer_id from (
        select min(customer_id) as customer_id
        from segment_reasons
        group by dimension, code, rule_id, measure, coalesce(sign(value), 2)
        union all
        select min(customer_id) from customer_profiles group by customer_type, age_band
        union all
        select min(customer_id) from customer_clv group by clv_status, clv_reason
    )
    order by customer_id
"""

# What an identifier looks like: `at_risk`, `orders_12m`, `value_tier.high_of_three`.
RAW_CODE = re.compile(r"[a-z0-9]+_[a-z0-9_]+|[a-z]+\.[a-z]+")


@pytest.fixture(scope="module")
def place(sample_shop):
    return home(sample_shop.root)


@pytest.fixture(scope="module")
def explanations(sample_shop, place) -> dict[str, dict[Language, Explanation]]:
    with sample_shop.connect() as connection:
        customers = [who for (who,) in connection.execute(KINDS).fetchall()]
    found = {}
    for customer in customers:
        evidence = read_evidence(place, customer, EN)
        found[customer] = {language: explain(evidence, language) for language in Language}
    return found


def said(explanation: Explanation) -> str:
    return "\n".join(
        "\n".join((item.heading, item.verdict, item.why)) for item in explanation.items
    )


def printed(explanation: Explanation, language: Language, width: int) -> list[str]:
    console = Console(width=width, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    render(explanation, language, console)
    return console.export_text().splitlines()


def test_every_kind_of_customer_is_explained_without_a_code_in_english(explanations):
    assert len(explanations) > 30
    for customer, found in explanations.items():
        assert not RAW_CODE.search(said(found[EN])), f"{customer}\n{said(found[EN])}"
        assert "None" not in said(found[EN]) and "nan" not in said(found[EN]), customer


def test_every_kind_of_customer_is_explained_in_chinese_throughout(explanations, sample_shop):
    with sample_shop.connect() as connection:
        labels = connection.execute(
            "select label_zh from segment_labels union all "
            "select author || ' ' || reason from override_ledger"
        ).fetchall()
    # Latin letters are those of labels, such as ABC or RFM, and of what people wrote.
    latin = {word for (label,) in labels for word in re.findall("[A-Za-z]+", label)}
    for customer, found in explanations.items():
        words = set(re.findall("[A-Za-z]+", said(found[ZH])))
        assert words <= latin, f"{customer}: {words - latin}\n{said(found[ZH])}"
        assert not re.search(r"[,;:] |[a-z]\.", said(found[ZH])), said(found[ZH])


def test_both_languages_say_as_much(explanations):
    for customer, found in explanations.items():
        items = {language: found[language].items for language in Language}
        assert len(items[EN]) == len(items[ZH]), customer
        for english, chinese in zip(items[EN], items[ZH], strict=True):
            assert bool(english.why) == bool(chinese.why), f"{customer}: {english.heading}"


@pytest.mark.parametrize(("width", "most_lines"), [(80, 42), (100, 32)])
def test_an_explanation_fits_a_terminal(explanations, width, most_lines):
    for customer, found in explanations.items():
        for language in Language:
            lines = printed(found[language], language, width)
            assert len(lines) <= most_lines, f"{customer}: {len(lines)} lines"
            assert max(len(line.rstrip()) for line in lines) <= width, customer


@pytest.mark.parametrize(
    "kind",
    [
        "value_tier = 'high' and csat_average_12m is not null and clv_predicted > 0",
        "lifecycle_stage = 'churned' and orders_12m > 1",
        "lifecycle_stage = 'new'",
    ],
)
def test_the_figures_are_those_of_the_marts(sample_shop, place, kind):
    """Written out here, template by template, from the rows themselves."""
    with sample_shop.connect() as connection:
        (customer,) = connection.execute(
            f"select min(customer_id) from customer_segments where {kind}"
        ).fetchone()
        row = as_row(connection, "customer_segments", customer)
        clv = as_row(connection, "customer_clv", customer)
        value = as_row(connection, "customer_value", customer)
        labels = dict(
            connection.execute(
                "select dimension || ':' || code, label_en from segment_labels"
            ).fetchall()
        )
        bounds = {
            (dimension, measure): (lower, upper)
            for dimension, measure, lower, upper in connection.execute(
                "select dimension, measure, lower_bound, upper_bound from segment_reasons "
                "where customer_id = ?",
                [customer],
            ).fetchall()
        }
    items = {item.heading: item for item in explain(read_evidence(place, customer, EN), EN).items}
    for heading, dimension in (
        ("Value tier", "value_tier"),
        ("Spend", "spend_band"),
        ("ABC class", "abc_class"),
        ("Order group", "order_value_group"),
        ("Service tier", "service_tier"),
    ):
        assert items[heading].verdict == labels[f"{dimension}:{row[dimension]}"]
    stage, activity = row["lifecycle_stage"], row["activity_status"]
    assert items["Life stage"].verdict == (
        f"{labels[f'lifecycle_stage:{stage}']}; {labels[f'activity_status:{activity}']}"
    )
    for heading, score in (("Recency", "r"), ("Frequency", "f"), ("Money", "m")):
        assert items[f"{heading} score"].verdict == f"{row[f'{score}_score']} of 5"
    days = "1 day" if row["recency_days"] == 1 else f"{row['recency_days']} days"
    assert items["Recency score"].why.startswith(f"Last order {days} ago (")
    count = "1 order" if row["frequency"] == 1 else f"{row['frequency']} orders"
    assert items["Frequency score"].why.startswith(f"{count} in the scoring period")
    lower, upper = bounds["m_score", "monetary"]
    assert items["Money score"].why.startswith(
        f"Net revenue of {row['monetary']:,.2f} in the scoring period ("
    )
    for bound in (lower, upper):
        assert bound is None or f"{bound:,.2f}" in items["Money score"].why
    assert items["Spend"].why.startswith(f"Net revenue of {row['net_revenue_12m']:,.2f} in 12 ")
    assert items["Value tier"].why.startswith(f"{value['value_points']} points for ")
    assert f"{row['average_order_value_12m']:,.2f} an order" in items["Order group"].why
    assert items["Forecast"].verdict == (
        f"{clv['clv_predicted']:,.2f} of {clv['clv_basis']} in the next 365 days on average; most "
        f"such customers bring {clv['clv_lower']:,.2f} to {clv['clv_upper']:,.2f}"
    )
    alive = f"{100 * clv['p_alive']:.1f}".removesuffix(".0")
    assert f"still a customer is {alive}%" in items["Forecast"].why


def as_row(connection: duckdb.DuckDBPyConnection, table: str, customer: str) -> dict[str, object]:
    cursor = connection.execute(f"select * from {table} where customer_id = ?", [customer])
    names = [column[0] for column in cursor.description]
    return dict(zip(names, cursor.fetchone(), strict=True))


def test_all_reasons_are_listed_on_demand(sample_shop, place):
    with sample_shop.connect() as connection:
        customer, reasons = connection.execute(
            "select customer_id, count(*) from segment_reasons group by all order by 2 desc limit 1"
        ).fetchone()
    evidence = read_evidence(place, customer, EN)
    console = Console(width=250, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    render_reasons(evidence, EN, console)
    lines = [line for line in console.export_text().splitlines() if line.strip()]
    assert len(lines) == reasons + 2
    for reason in evidence.reasons:
        assert any(reason.rule_id in line for line in lines)


def test_the_command_explains_a_customer_in_either_language(sample_shop):
    english = segments(sample_shop.root, "explain", "C0000001", "--all")
    assert english.returncode == 0, english.stderr
    assert english.stdout.startswith("shop:C0000001 · ")
    assert "value_tier." in english.stdout
    chinese = segments(sample_shop.root, "explain", "shop:C0000001", "--lang", "zh")
    assert chinese.returncode == 0, chinese.stderr
    assert "客户分群" in chinese.stdout and "value_tier" not in chinese.stdout
    hostile = segments(sample_shop.root, "explain", "x'; drop table customer_segments; --")
    assert hostile.returncode == 1
    assert hostile.stderr.startswith("Error: there is no customer x'; drop table")
