"""Are the words of an explanation right, in both languages, and is the customer the one meant?

`tests/warehouse/test_explain.py` explains the customers of the sample shop.
"""

import csv
import dataclasses
import datetime
import itertools
import re
import string
from decimal import Decimal
from typing import Any

import duckdb
import pytest
from rich.cells import cell_len

from orchestration.evidence import (
    Coverage,
    CustomerNotFound,
    Evidence,
    Override,
    Reason,
    find_customer,
)
from orchestration.explain import breaks, explain
from orchestration.home import PROJECT
from orchestration.wording import (
    ERRORS,
    HEADINGS,
    PHRASES,
    SENTENCES,
    UNKNOWN,
    Language,
    Words,
    bounds,
    figure,
    number,
    sentence,
)
from tests.shops import segments as call

EN, ZH = Language.en, Language.zh


def labels() -> list[dict[str, str]]:
    with (PROJECT / "seeds" / "labels.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def holes(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name}


# ---- Words --------------------------------------------------------------------------------------


@pytest.mark.parametrize("templates", [SENTENCES, UNKNOWN, PHRASES, HEADINGS, ERRORS])
def test_both_languages_leave_the_same_open(templates: dict[str, Words]):
    for key, words in templates.items():
        assert holes(words.en) == holes(words.zh), key
        assert not re.search(r"[a-z]", re.sub(r"\{\w+\}", "", words.zh)), key


def test_every_measure_that_is_named_has_a_sentence():
    named = {row["code"] for row in labels() if row["dimension"] == "measure"}
    # What is unknown for want of an age says so elsewhere, and no reason shows an age.
    assert named - set(SENTENCES) == {"age_years"}


@pytest.mark.parametrize(
    ("value", "measure", "rivals", "english", "chinese"),
    [
        (1, "recency_days", (), "1 day", "1天"),
        (13.5, "median_gap_days", (31,), "13.5 days", "13.5天"),
        (1, "orders_12m", (), "1 order", "1单"),
        (1234, "orders_12m", (), "1,234 orders", "1,234单"),
        (1234.5, "net_revenue_12m", (), "1,234.50", "1,234.50"),
        (-0.001, "net_revenue_12m", (), "0.00", "0.00"),
        (0.875, "repeat_rate", (0.8,), "87.5%", "87.5%"),
        (0.3, "margin_rate_12m", (0.2,), "30%", "30%"),
        (545, "rfm_code", (), "545", "545"),
        (4.25, "csat_average_12m", (), "4.25", "4.25"),
        (1, "topic_mentions_12m", (), "once", "1次"),
    ],
)
def test_a_figure_has_the_unit_of_its_measure(value, measure, rivals, english, chinese):
    assert figure(value, measure, EN, rivals) == english
    assert figure(value, measure, ZH, rivals) == chinese


def test_a_figure_never_looks_as_if_it_stood_on_the_other_side_of_its_bound():
    assert number(0.7999, "percent", [0.8]) == "79.99%"
    assert number(0.79999999, "percent", [0.8]) == "79.999999%"
    assert number(0.8, "percent", [0.8]) == "80%"
    assert number(287.604, "money", [287.6048]) == "287.604"
    assert number(29.96, "days", [30]) == "29.96"


def test_a_range_is_half_open():
    assert bounds(4, 12, "orders_12m", EN) == "4 to under 12 orders"
    assert bounds(4, 12, "orders_12m", ZH) == "4单及以上、不足12单"
    assert bounds(None, 0.8, "better_revenue_share", EN) == "under 80%"
    assert bounds(10000, None, "net_revenue_12m", ZH) == "10,000.00及以上"
    assert bounds(None, None, "gap_variation", EN) == ""


def test_a_value_that_is_zero_negative_or_unknown_has_words_of_its_own():
    assert sentence("orders_12m", 0, None, 1, EN) == "no order in 12 months"
    assert sentence("recency_days", None, None, None, ZH) == "从未下单"
    late = sentence("days_until_churn", -212, None, 0, EN)
    assert late == "silent 212 days longer than its rhythm allows"
    # Money has no words for less than nothing: the sign stays.
    assert sentence("net_revenue_12m", -5, None, 3000, EN) == (
        "net revenue of -5.00 in 12 months (under 3,000.00)"
    )
    # One order and no more needs no range; a measure without words is told apart.
    assert sentence("order_days", 1, 1, 2, EN) == "it ordered on 1 day"
    assert sentence("a_new_measure", 1, None, None, EN) is None


# ---- Who is meant -------------------------------------------------------------------------------


@pytest.fixture
def two_sources():
    connection = duckdb.connect()
    connection.execute("create table customer_segments (customer_id varchar, source varchar)")
    connection.execute("""
        insert into customer_segments values
            ('shop:17', 'shop'), ('tills:17', 'tills'), ('shop:170', 'shop'), ('shop:18', 'shop'),
            ('shop:x''; drop', 'shop'), ('shop:a%', 'shop'), ('tills:shop:18', 'tills')
    """)
    yield connection
    connection.close()


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("shop:17", "shop:17"),
        ("170", "shop:170"),
        ("x'; drop", "shop:x'; drop"),
        ("a%", "shop:a%"),
        # An id may look like one of another source: the whole id goes first.
        ("shop:18", "shop:18"),
        ("tills:shop:18", "tills:shop:18"),
    ],
)
def test_a_customer_is_found_by_either_id(two_sources, given, meant):
    assert find_customer(two_sources, given, EN) == meant


@pytest.mark.parametrize(
    ("given", "english", "chinese"),
    [
        (
            "17",
            "17 is a customer of several sources; say which: shop:17; tills:17",
            "多个来源都有客户17，请写明是哪一个：shop:17；tills:17",
        ),
        (
            "shop:199",
            "there is no customer shop:199. Similar: shop:17; shop:18; shop:170; tills:shop:18",
            "没有客户shop:199。相近的有：shop:17；shop:18；shop:170；tills:shop:18",
        ),
        ("zzzzzz", "there is no customer zzzzzz.", "没有客户zzzzzz。"),
        (
            "'; drop table customer_segments; --",
            "there is no customer '; drop table customer_segments; --.",
            "没有客户'; drop table customer_segments; --。",
        ),
        ("%", "there is no customer %.", "没有客户%。"),
        ("", "say which customer.", "请写明客户编号。"),
    ],
)
def test_who_is_not_found_is_told_in_one_sentence(two_sources, given, english, chinese):
    for language, told in ((EN, english), (ZH, chinese)):
        with pytest.raises(CustomerNotFound) as failed:
            find_customer(two_sources, given, language)
        assert re.sub(r"shop:a%; |shop:x'; drop; ", "", str(failed.value)) == told


def test_without_a_published_version_there_is_a_sentence(tmp_path):
    done = call(tmp_path, "explain", "17")
    assert done.returncode == 1
    assert "Error: no marts.duckdb is published" in done.stderr
    assert "Traceback" not in done.stderr


# ---- A customer made up -------------------------------------------------------------------------

DAY = datetime.date(2024, 6, 30)
BEFORE = datetime.date(2024, 5, 31)

SEGMENTS: dict[str, Any] = {
    "as_of_date": DAY,
    "customer_id": "shop:17",
    "source": "shop",
    "final_segment": "loyal",
    "model_segment": "top",
    "headline_segment": "top",
    "rfm_segment": "champions",
    "rfm_code": "555",
    "r_score": 5,
    "f_score": None,
    "m_score": None,
    "orders_to_date": 5,
    "net_revenue_12m": Decimal("3500.00"),
    "value_tier": "mid",
    "spend_band": "mid",
    "frequency_band": "mid",
    "margin_band": "unknown",
    "has_conflicting_bands": False,
    "abc_class": None,
    "order_value_group": None,
    "lifecycle_stage": "maturity",
    "activity_status": "active",
    "cycle_band": None,
    "loyalty_band": "unknown",
    "interaction_band": None,
    "relationship_tier": None,
    "to_activate": False,
    "potential_band": None,
    "service_tier": "mid",
    "next_step_tier": "high",
    "next_step_orders": 7,
    "next_step_amount": Decimal("6500.00"),
    "drops_on": datetime.date(2024, 9, 1),
    "drops_to_tier": "low",
}
PROFILE = {
    "customer_type": "business",
    "revenue_band": "unknown",
    "age_band": None,
    "need_type": "product",
    "product_preference": "unknown",
    "channel_preference": "online",
    "core_need": "efficiency",
    "is_core_need_default": True,
}
CLV = {
    "clv_predicted": Decimal("1200.50"),
    "clv_basis": "margin",
    "clv_lower": Decimal("300.00"),
    "clv_upper": Decimal("2000.00"),
    "expected_orders": 5.04,
    "p_alive": 0.95,
    "expected_next_order_date": datetime.date(2024, 8, 15),
    "clv_status": "fitted",
    "clv_reason": "converged",
}
REASONS = (
    Reason("final_segment", "loyal", "segment_overrides.3", "rfm_code", 555, None, None, "M7"),
    Reason("r_score", "5", "r_score.5", "recency_days", 3, None, 23, "M1"),
    Reason("value_tier", "mid", "m", "points_of_two_bands", 4, 4, 6, "V7"),
    Reason("spend_band", "mid", "s", "net_revenue_12m", 3500, 3000, 10000, "V1"),
    Reason("frequency_band", "mid", "f", "orders_12m", 5, 4, 12, "V2"),
    Reason("margin_band", "unknown", "u", "margin_rate_12m", None, None, None, None),
    Reason("loyalty_band", "unknown", "l", "repeat_rate", None, None, None, None),
    Reason("lifecycle_stage", "maturity", "y", "gap_variation", 0.7, None, None, "L5"),
    Reason("service_tier", "mid", "t", "points_of_two_bands", 4, 4, 6, "V14"),
    Reason("product_preference", "unknown", "p", "price_tier_revenue_12m", 0, None, 0.01, "N2"),
    Reason("revenue_band", "unknown", "r", "annual_revenue", None, None, None, "P1"),
)


def made_up(history: tuple[dict[str, Any], ...] = (), **changed: object) -> Evidence:
    rows = labels()
    return Evidence(
        segments={**SEGMENTS, **changed},
        profile=PROFILE,
        clv=CLV,
        reasons=REASONS,
        override=Override("Ann Lee", "Buys for two sites", datetime.date(2024, 5, 2), None),
        history=history,
        first_kept=datetime.date(2024, 3, 31),
        previous=BEFORE,
        coverage=Coverage(datetime.date(2023, 5, 31), 365, 0.815),
        notes=(),
        labels={(r["dimension"], r["code"]): Words(r["label_en"], r["label_zh"]) for r in rows},
        ranks={(r["dimension"], r["code"]): int(r["sort_order"]) for r in rows},
    )


def month_end(day: datetime.date, segment: str, tier: str = "mid") -> dict[str, Any]:
    return {
        "as_of_date": day,
        "final_segment": segment,
        "rfm_segment": "champions",
        "value_tier": tier,
        "service_tier": "mid",
        "lifecycle_stage": "maturity",
        "activity_status": "active",
    }


def told(evidence: Evidence, language: Language) -> dict[str, str]:
    return {
        item.heading: " | ".join(filter(None, (item.verdict, item.why)))
        for item in explain(evidence, language).items
    }


def test_a_customer_is_explained_in_english():
    evidence = made_up((month_end(BEFORE, "growing", tier="low"),))
    assert explain(evidence, EN).title == "shop:17 · Business · as of 2024-06-30"
    assert told(evidence, EN) == {
        "Segment": "Loyal (Champions) | Set by Ann Lee from 2024-05-02: “Buys for two sites”; the "
        "model says Top; on 2024-05-31 it was Growing.",
        "Recency score": "5 of 5 | Last order 3 days ago (under 23 days).",
        "Value tier": "Mid value | 4 points for spend and frequency (4 to under 6 points).",
        "Spend": "Mid spend | Net revenue of 3,500.00 in 12 months (3,000.00 to under 10,000.00).",
        "Frequency": "Mid frequency | 5 orders in 12 months (4 to under 12 orders).",
        "Life stage": "Maturity; Active | No other stage applies; its order gaps vary by 0.7 of "
        "their mean.",
        "Forecast": "1,200.50 of margin in the next 365 days on average; most such customers bring "
        "300.00 to 2,000.00 | 5 days with an order expected; the chance that it is still a "
        "customer is 95%; next order expected about 2024-08-15.",
        "How sure": "Fitted (Model converged and passed its backtests) | In the 365 days after "
        "2023-05-31 such ranges held what 81.5% of customers brought.",
        "Service tier": "Mid-value service | Mid value.",
        "Needs": "Product need; Online; Lower cost and more efficiency (assumed for its type)",
        "To rise": "High value with 7 orders more, worth 6,500.00 in all",
        "Will fall": "Low value from 2024-09-01 on, if it orders no more",
        "Since 2024-05-31": "Value tier: Low value → Mid value",
        "Not known": "Margin (no costs known); Loyalty (fewer than two whole order cycles); "
        "Business size (not delivered); Product preference (too little to tell by)",
    }


def test_a_customer_is_explained_in_chinese():
    evidence = made_up((month_end(BEFORE, "growing", tier="low"),))
    assert explain(evidence, ZH).title == "shop:17 · 企业客户 · 截至2024年6月30日"
    assert told(evidence, ZH) == {
        "客户分群": "忠诚客户（冠军客户） | 由Ann Lee自2024年5月2日起指定：“Buys for two sites”；"
        "模型判定为核心客户；2024年5月31日时为成长客户。",
        "近度得分": "5分（5分制） | 最近一次下单在3天前（不足23天）。",
        "价值等级": "中价值 | 消费、频次两项共4分（4分及以上、不足6分）。",
        "消费等级": "中消费 | 近12个月净营收3,500.00（3,000.00及以上、不足10,000.00）。",
        "频次等级": "中频 | 近12个月共5单（4单及以上、不足12单）。",
        "生命周期": "成熟期；活跃 | 不符合其他任何阶段的条件；下单间隔的波动系数为0.7。",
        "价值预测": "未来365天预计平均带来毛利1,200.50；此类客户大多在300.00至2,000.00之间"
        " | 预计有5个下单日；仍为客户的概率为95%；预计下一单在2024年8月15日前后。",
        "预测可信度": "已拟合（模型收敛并通过回测） | 以2023年5月31日之后365天的实际结果检验，"
        "81.5%的客户落在此类区间内。",
        "服务等级": "中价值服务 | 中价值。",
        "需求画像": "产品需求型；偏好线上；降本增效（按客户类型推定）",
        "升级条件": "再下7单、合计净营收6,500.00，即可升为高价值",
        "降级时间": "若不再下单，2024年9月1日起降为低价值",
        "较2024年5月31日": "价值等级由“低价值”变为“中价值”",
        "未知项": "毛利等级（缺少成本数据）；忠诚度（未满两个完整下单周期）；"
        "企业规模（缺少年营收数据）；产品偏好（依据不足）",
    }


@pytest.mark.parametrize(
    ("history", "said"),
    [
        ((), "not a customer yet on 2024-05-31"),
        (
            (
                month_end(datetime.date(2024, 3, 31), "loyal"),
                month_end(datetime.date(2024, 4, 30), "top"),
                month_end(BEFORE, "loyal"),
            ),
            "at every month-end since 2024-05-31",
        ),
        (
            (
                month_end(datetime.date(2024, 3, 31), "loyal"),
                month_end(datetime.date(2024, 4, 30), "loyal"),
                month_end(BEFORE, "loyal"),
            ),
            "at every month-end on record, the first being 2024-03-31",
        ),
        # It was there once, and not at the month-end before: nobody claims more.
        ((month_end(datetime.date(2024, 3, 31), "loyal"),), "not a customer yet on 2024-05-31"),
    ],
)
def test_it_says_since_when(history, said):
    assert told(made_up(history), EN)["Segment"].endswith(f"{said}.")


@pytest.mark.parametrize(
    ("changed", "heading", "said"),
    [
        (
            {"next_step_orders": None},
            "To rise",
            "High value with 6,500.00 more of net revenue",
        ),
        ({"next_step_amount": None}, "To rise", "High value with 7 orders more"),
        ({"next_step_tier": None}, "To rise", "No single change would lift it"),
        ({"next_step_tier": None, "value_tier": "high"}, "To rise", "It has the highest tier"),
        ({"drops_on": None}, "Will fall", "It will not fall by time alone"),
    ],
)
def test_it_says_what_would_change_the_tier(changed, heading, said):
    assert told(made_up(**changed), EN)[heading] == said


def test_an_override_that_ends_is_told_with_its_last_day():
    until = Override("Ann Lee", "Contract", datetime.date(2024, 5, 2), datetime.date(2024, 12, 31))
    evidence = dataclasses.replace(made_up(), override=until)
    assert (
        "Set by Ann Lee from 2024-05-02 to 2024-12-31: “Contract”"
        in (told(evidence, EN)["Segment"])
    )
    assert (
        "由Ann Lee指定，2024年5月2日至2024年12月31日有效：“Contract”"
        in (told(evidence, ZH)["客户分群"])
    )


def test_a_version_without_final_segments_is_explained_by_the_headline():
    evidence = dataclasses.replace(made_up(), reasons=REASONS[1:], override=None)
    for column in ("final_segment", "model_segment", "next_step_tier", "drops_on"):
        del evidence.segments[column]
    spoken = told(evidence, EN)
    assert spoken["Segment"].startswith("Top (Champions) | ")
    assert "To rise" not in spoken and "Will fall" not in spoken


def test_a_chinese_line_neither_splits_a_figure_nor_begins_with_a_closing_mark():
    said = "客单价4,363.30（287.60及以上）；净营收187,621.89；由“低价值”变为“高价值”。"
    for width in range(14, 50):
        ends = [0, *breaks(said, width), len(said)]
        lines = [said[start:end] for start, end in itertools.pairwise(ends)]
        assert "".join(lines) == said
        for line in lines:
            assert cell_len(line) <= width, f"{width}: {line}"
            assert line[0] not in "，。；：、）”%", f"{width}: {line}"
            assert line[-1] not in "（“", f"{width}: {line}"
        for figure_said in ("4,363.30", "287.60", "187,621.89"):
            assert any(figure_said in line for line in lines), f"{width}: {lines}"
