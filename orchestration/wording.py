"""The words of an explanation, English and Chinese side by side: edit them here.

A sentence is found by the measure that a reason looks at. `{value}` is what the measure was, with
its unit; `{bounds}` is the range in which the rule holds, in brackets, and nothing where there is
none. A name with `.none`, `.past` or `.absent` is said of a value that is zero, negative or not
known, in place of the plain one. Names of dimensions, measures and codes are no templates: they are
rows of `seeds/labels.csv`.
"""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple


class Language(StrEnum):
    """A language that a customer can be explained in."""

    en = "en"
    zh = "zh"


class Words(NamedTuple):
    """The same words in both languages."""

    en: str
    zh: str

    def say(self, language: Language, **filled: str) -> str:
        """Return the words in one language, with what the template leaves open filled in."""
        return (self.en if language is Language.en else self.zh).format(**filled)


SENTENCES = {
    "recency_days": Words("last order {value} ago{bounds}", "最近一次下单在{value}前{bounds}"),
    "recency_days.none": Words(
        "last order on the last day of the data{bounds}", "数据截止当天仍有下单{bounds}"
    ),
    "recency_days.absent": Words("it never ordered", "从未下单"),
    "days_since_override": Words("set by hand {value} ago{bounds}", "{value}前人工指定{bounds}"),
    "frequency": Words("{value} in the scoring period{bounds}", "评分期内共{value}{bounds}"),
    "frequency.none": Words("no order in the scoring period", "评分期内没有下单"),
    "monetary": Words(
        "net revenue of {value} in the scoring period{bounds}", "评分期内净营收{value}{bounds}"
    ),
    "rfm_code": Words(
        "recency, frequency and money score {value}", "近度、频次、金额三项得分为{value}"
    ),
    "orders_to_date": Words("{value} so far{bounds}", "累计{value}{bounds}"),
    "orders_to_date.none": Words("it never ordered", "从未下单"),
    "order_days": Words("it ordered on {value}{bounds}", "累计有{value}下过单{bounds}"),
    "orders_12m": Words("{value} in 12 months{bounds}", "近12个月共{value}{bounds}"),
    "orders_12m.none": Words("no order in 12 months", "近12个月没有下单"),
    "net_revenue_12m": Words(
        "net revenue of {value} in 12 months{bounds}", "近12个月净营收{value}{bounds}"
    ),
    "margin_rate_12m": Words("margin of {value}{bounds}", "毛利率{value}{bounds}"),
    "margin_rate_12m.absent": Words("its margin is not known", "毛利率未知"),
    "points_of_three_bands": Words(
        "{value} for spend, frequency and margin{bounds}", "消费、频次、毛利三项共{value}{bounds}"
    ),
    "points_of_two_bands": Words(
        "{value} for spend and frequency{bounds}", "消费、频次两项共{value}{bounds}"
    ),
    "better_revenue_share": Words(
        "customers who bring more hold {value} of it{bounds}",
        "营收高于该客户的客户合计占总营收的{value}{bounds}",
    ),
    "better_revenue_share.none": Words("no customer brings more{bounds}", "营收位居第一{bounds}"),
    "average_order_value_12m": Words("{value} an order{bounds}", "客单价{value}{bounds}"),
    "interactions_per_month": Words("{value} a month{bounds}", "月均互动{value}{bounds}"),
    "csat_average_12m": Words("average satisfaction {value}{bounds}", "满意度均分{value}{bounds}"),
    "nps_answer": Words("recommendation answer {value}{bounds}", "推荐意愿评分{value}{bounds}"),
    "median_gap_days": Words(
        "usually {value} between orders{bounds}", "通常每隔{value}下单一次{bounds}"
    ),
    "gap_variation": Words(
        "no other stage applies; its order gaps vary by {value} of their mean",
        "不符合其他任何阶段的条件；下单间隔的波动系数为{value}",
    ),
    "gap_variation.absent": Words("no other stage applies", "不符合其他任何阶段的条件"),
    "repeat_rate": Words(
        "it ordered in {value} of its order cycles{bounds}", "周期复购率{value}{bounds}"
    ),
    "tenure_days": Words("first order {value} ago{bounds}", "首次下单在{value}前{bounds}"),
    "tenure_days.none": Words(
        "first order on the last day of the data{bounds}", "数据截止当天首次下单{bounds}"
    ),
    "comebacks": Words("it came back after a long gap", "长时间未下单后重新下单"),
    "comebacks.none": Words("it has not come back from a long gap", "近期没有久别后的回购"),
    "days_until_churn": Words("{value} until it counts as lost", "再过{value}将判定为流失"),
    "days_until_churn.past": Words(
        "silent {value} longer than its rhythm allows",
        "未下单时间比其下单规律所允许的上限多出{value}",
    ),
    "days_until_decline": Words("{value} until it counts as overdue", "再过{value}将判定为逾期"),
    "days_until_decline.past": Words(
        "silent {value} longer than its usual gaps allow", "未下单时间比正常间隔上限多出{value}"
    ),
    "revenue_fall_rate": Words(
        "revenue of the last 6 months is {value} below that of the 6 before{bounds}",
        "近6个月营收较前6个月下降{value}{bounds}",
    ),
    "clv_predicted": Words(
        "forecast of {value} for the next 365 days{bounds}", "未来365天预测价值{value}{bounds}"
    ),
    "clv_predicted.absent": Words("there is no forecast", "没有预测值"),
    "distance": Words("nearest to the middle of this cluster", "与该类客户的中心最接近"),
    "annual_revenue": Words("yearly revenue of {value}{bounds}", "企业年营收{value}{bounds}"),
    "need_signals_12m": Words("{value} in 12 months{bounds}", "近12个月共{value}{bounds}"),
    "product_signal_share": Words(
        "{value} of its signals are about products{bounds}", "产品类信号占{value}{bounds}"
    ),
    "service_signal_share": Words(
        "{value} of its signals are about services{bounds}", "服务类信号占{value}{bounds}"
    ),
    "price_tier_revenue_12m": Words(
        "revenue of {value} from products of a known price tier{bounds}",
        "已知价位产品的净营收为{value}{bounds}",
    ),
    "premium_revenue_share": Words(
        "{value} of its revenue from premium products{bounds}", "高端产品占其营收的{value}{bounds}"
    ),
    "value_revenue_share": Words(
        "{value} of its revenue from value products{bounds}", "性价比产品占其营收的{value}{bounds}"
    ),
    "channel_orders_12m": Words("{value} of a known channel{bounds}", "已知渠道共{value}{bounds}"),
    "online_order_share": Words(
        "{value} of its orders online{bounds}", "线上订单占{value}{bounds}"
    ),
    "offline_order_share": Words(
        "{value} of its orders offline{bounds}", "线下订单占{value}{bounds}"
    ),
    "topic_mentions_12m": Words("mentioned {value}{bounds}", "共提及{value}{bounds}"),
    "topic_mentions_12m.none": Words(
        "assumed for customers of its type", "按客户类型推定，尚无依据"
    ),
}

# Why a code is `unknown`, by the measure that it lacks.
UNKNOWN = {
    "margin_rate_12m": Words("no costs known", "缺少成本数据"),
    "margin_rate_12m.no_revenue": Words("no net revenue in 12 months", "近12个月没有净营收"),
    "interactions_per_month": Words("none delivered for 3 months", "近3个月没有互动数据"),
    "csat_average_12m": Words("interactions not known", "互动情况未知"),
    "csat_average_12m.absent": Words("no satisfaction answer", "没有满意度评分"),
    "median_gap_days": Words("ordered on fewer than two days", "下单日不足两天"),
    "repeat_rate": Words("fewer than two whole order cycles", "未满两个完整下单周期"),
    "clv_predicted": Words("no forecast", "没有预测值"),
    "annual_revenue": Words("not delivered", "缺少年营收数据"),
    "age_years": Words("no birth date that can be", "缺少有效的出生日期"),
    "need_signals_12m": Words("too little to tell by", "依据不足"),
    "price_tier_revenue_12m": Words("too little to tell by", "依据不足"),
    "channel_orders_12m": Words("too little to tell by", "依据不足"),
    "topic_mentions_12m": Words("too little to tell by", "依据不足"),
}

PHRASES = {
    "as_of": Words("as of {day}", "截至{day}"),
    "score": Words("{score} of 5", "{score}分（5分制）"),
    "kind": Words("{segment} ({kind})", "{segment}（{kind}）"),
    "since": Words("at every month-end since {day}", "自{day}起每个月末均属此群"),
    "since_kept": Words(
        "at every month-end on record, the first being {day}",
        "有记录以来（最早为{day}）每个月末均属此群",
    ),
    "since_change": Words("on {day} it was {before}", "{day}时为{before}"),
    "since_new": Words("not a customer yet on {day}", "{day}时尚无此客户"),
    "too_few_buyers": Words("there are too few buyers to rank", "买家过少，暂不评分"),
    "segment_overrides": Words(
        "set by {author} from {day}: “{reason}”; the model says {model}",
        "由{author}自{day}起指定：“{reason}”；模型判定为{model}",
    ),
    "segment_overrides_until": Words(
        "set by {author} from {day} to {last_day}: “{reason}”; the model says {model}",
        "由{author}指定，{day}至{last_day}有效：“{reason}”；模型判定为{model}",
    ),
    "calibration_rules": Words(
        "by a calibration rule; the scores alone say {headline}",
        "按校准规则调整；仅按得分判定为{headline}",
    ),
    "forecast": Words(
        "{value} of {basis} in the next 365 days on average; most such customers bring {lower} to "
        "{upper}",
        "未来365天预计平均带来{basis}{value}；此类客户大多在{lower}至{upper}之间",
    ),
    "forecast_point": Words(
        "{value} of {basis} in the next 365 days", "未来365天预计带来{basis}{value}"
    ),
    "forecast_orders": Words(
        "{orders} expected; the chance that it is still a customer is {alive}",
        "预计有{orders}；仍为客户的概率为{alive}",
    ),
    "forecast_next": Words("next order expected about {day}", "预计下一单在{day}前后"),
    "no_forecast": Words("No forecast", "没有预测"),
    "trust": Words(
        "in the {days} days after {day} such ranges held what {share} of customers brought",
        "以{day}之后{days}天的实际结果检验，{share}的客户落在此类区间内",
    ),
    "no_trust": Words("not yet checked against what came", "尚未用实际结果检验"),
    "assumed": Words("{need} (assumed for its type)", "{need}（按客户类型推定）"),
    "step": Words(
        "{tier} with {orders} more, worth {amount} in all",
        "再下{orders}、合计净营收{amount}，即可升为{tier}",
    ),
    "step_orders": Words("{tier} with {orders} more", "再下{orders}即可升为{tier}"),
    "step_amount": Words(
        "{tier} with {amount} more of net revenue", "净营收再增加{amount}即可升为{tier}"
    ),
    "step_top": Words("It has the highest tier", "已是最高等级"),
    "step_none": Words("No single change would lift it", "任何单项变化都不足以升级"),
    "drop": Words("{tier} from {day} on, if it orders no more", "若不再下单，{day}起降为{tier}"),
    "drop_none": Words("It will not fall by time alone", "不会仅因时间推移而降级"),
    "change": Words("{dimension}: {before} → {after}", "{dimension}由“{before}”变为“{after}”"),
    "code": Words("{dimension}: {code}", "{dimension}：{code}"),
    "no_change": Words("Nothing", "没有变化"),
    "unknown": Words("{dimensions} ({why})", "{dimensions}（{why}）"),
}

HEADINGS = {
    "forecast": Words("Forecast", "价值预测"),
    "trust": Words("How sure", "预测可信度"),
    "needs": Words("Needs", "需求画像"),
    "step": Words("To rise", "升级条件"),
    "drop": Words("Will fall", "降级时间"),
    "changes": Words("Since {day}", "较{day}"),
    "unknown": Words("Not known", "未知项"),
    "what": Words("What", "项目"),
    "measure": Words("Measure", "指标"),
    "value": Words("Value", "数值"),
    "bounds": Words("Holds for", "适用范围"),
    "rule": Words("Rule", "规则"),
    "clause": Words("Clause", "条款"),
}

ERRORS = {
    "title": Words("Error:", "错误："),
    "nameless": Words("say which customer.", "请写明客户编号。"),
    "unknown": Words("there is no customer {given}.{near}", "没有客户{given}。{near}"),
    "near": Words(" Similar: {ids}", "相近的有：{ids}"),
    "ambiguous": Words(
        "{given} is a customer of several sources; say which: {ids}",
        "多个来源都有客户{given}，请写明是哪一个：{ids}",
    ),
}

BOTH_BOUNDS = Words("{lower} to under {upper}", "{lower}及以上、不足{upper}")
LOWER_BOUND = Words("{lower} or more", "{lower}及以上")
UPPER_BOUND = Words("under {upper}", "不足{upper}")
SEPARATORS = Words("; ", "；")
COMMAS = Words(", ", "、")
STOPS = Words(".", "。")
VERDICTS = Words("{verdict}. {why}", "{verdict}。{why}")
BRACKETS = Words(" ({bounds})", "（{bounds}）")

# One and many; Chinese has one form.
UNITS = {
    "days": (Words("{number} day", "{number}天"), Words("{number} days", "{number}天")),
    "orders": (Words("{number} order", "{number}单"), Words("{number} orders", "{number}单")),
    "expected": (
        Words("{number} day with an order", "{number}个下单日"),
        Words("{number} days with an order", "{number}个下单日"),
    ),
    "points": (Words("{number} point", "{number}分"), Words("{number} points", "{number}分")),
    "signals": (
        Words("{number} signal", "{number}条信号"),
        Words("{number} signals", "{number}条信号"),
    ),
    "interactions": (
        Words("{number} interaction", "{number}次"),
        Words("{number} interactions", "{number}次"),
    ),
    "times": (Words("once", "1次"), Words("{number} times", "{number}次")),
}

COUNTED = {
    "frequency": "orders",
    "orders_12m": "orders",
    "orders_to_date": "orders",
    "channel_orders_12m": "orders",
    "order_days": "days",
    "points_of_three_bands": "points",
    "points_of_two_bands": "points",
    "need_signals_12m": "signals",
    "topic_mentions_12m": "times",
    "comebacks": "times",
    "interactions_per_month": "interactions",
    "expected_orders": "expected",
    "rfm_code": "code",
}
DECIMALS = {"money": 2, "percent": 1, "days": 1, "expected": 1, "interactions": 2, "number": 2}
MOST_DECIMALS = 6


def unit_of(measure: str) -> str:
    """Return the unit of a measure by its name: money, percent, days, a count or number."""
    if measure in COUNTED:
        return COUNTED[measure]
    if measure.removesuffix("_12m").endswith(("_rate", "_share")):
        return "percent"
    if measure.endswith("_days") or measure.startswith("days_until_"):
        return "days"
    if any(part in measure for part in ("monetary", "revenue", "value", "clv", "amount")):
        return "money"
    return "number"


def number(value: float, unit: str, rivals: Iterable[float] = ()) -> str:
    """Return a figure without its unit, as short as its unit allows.

    Args:
        value: the figure; a share is 0 to 1.
        unit: see `unit_of`.
        rivals: bounds that it is held against. It gets more decimals where it would look as if it
            stood on the other side of one, or upon it: 0.7999 under 80% is 79.99%, not 80%.
    """
    if unit == "code":
        return f"{value:.0f}"
    scale = 100 if unit == "percent" else 1
    least = DECIMALS.get(unit, 0)
    shown = next(
        (
            digits
            for digits in range(least, MOST_DECIMALS)
            if all(
                (round(value * scale, digits) > round(rival * scale, digits)) == (value > rival)
                and (round(value * scale, digits) < round(rival * scale, digits)) == (value < rival)
                for rival in rivals
            )
        ),
        MOST_DECIMALS,
    )
    # Adding nothing takes the sign from a figure that rounds to zero.
    text = f"{round(value * scale, shown) + 0:,.{shown}f}"
    if unit != "money" and "." in text:
        text = text.rstrip("0").rstrip(".")
    return f"{text}%" if unit == "percent" else text


def figure(value: float, measure: str, language: Language, rivals: Iterable[float] = ()) -> str:
    """Return a measure's value with its unit, such as `3 days`, `1,200.00` or `80%`."""
    unit = unit_of(measure)
    text = number(value, unit, rivals)
    if unit not in UNITS:
        return text
    one, many = UNITS[unit]
    return (one if text == "1" else many).say(language, number=text)


def bounds(lower: float | None, upper: float | None, measure: str, language: Language) -> str:
    """Return the range in which a rule holds, nothing where it is open at both ends."""
    low = "" if lower is None else figure(lower, measure, language)
    high = "" if upper is None else figure(upper, measure, language)
    if low and high:
        if language is Language.en and lower is not None:
            low = number(lower, unit_of(measure))
        return BOTH_BOUNDS.say(language, lower=low, upper=high)
    if low:
        return LOWER_BOUND.say(language, lower=low)
    return UPPER_BOUND.say(language, upper=high) if high else ""


def sentence(
    measure: str,
    value: float | None,
    lower: float | None,
    upper: float | None,
    language: Language,
    templates: dict[str, Words] = SENTENCES,
) -> str | None:
    """Return what a reason says, without a full stop; None for a measure without a template."""
    words = templates.get(f"{measure}{_variant(value)}") or templates.get(measure)
    if words is None:
        return None
    rivals = [bound for bound in (lower, upper) if bound is not None]
    magnitude = abs(value or 0) if f"{measure}{_variant(value)}" in templates else value or 0
    # What is counted and may be one number only needs no range beside it.
    is_single = measure in COUNTED and None not in (lower, upper) and upper == lower + 1
    held = "" if is_single else bounds(lower, upper, measure, language)
    return words.say(
        language,
        value=figure(magnitude, measure, language, rivals),
        bounds=BRACKETS.say(language, bounds=held) if held else "",
    )


def _variant(value: float | None) -> str:
    """Return the ending of a template for a value that is not known, zero or negative."""
    if value is None:
        return ".absent"
    return ".none" if value == 0 else ".past" if value < 0 else ""


def day(given: date, language: Language) -> str:
    """Return a day as it is written in the language."""
    if language is Language.en:
        return given.isoformat()
    return f"{given.year}年{given.month}月{given.day}日"


def money(amount: Decimal) -> str:
    """Return an amount in base currency."""
    return number(float(amount), "money")


def text(sentences: Iterable[str], language: Language) -> str:
    """Join sentences into one that begins with a capital and ends with a full stop."""
    said = listed((each for each in sentences if each), language)
    if not said:
        return ""
    return f"{said[:1].upper()}{said[1:]}{STOPS.say(language)}"


def listed(parts: Iterable[str], language: Language, separators: Words = SEPARATORS) -> str:
    """Join the parts of a list."""
    return separators.say(language).join(parts)
