"""Segments: the portrait of one segment, what it did afterwards, how it grew, who is in it."""

import plotly.graph_objects as go
import streamlit as st

from dashboard import address, parts, theme
from dashboard.codes import OVER_TIME, codes_of, over_time
from dashboard.parts import Column, Figure, code_column
from dashboard.view import View, count, rate
from dashboard.warehouse import Row

DIMENSIONS = (
    *("final_segment", "rfm_segment", "value_tier", "order_value_group", "lifecycle_stage"),
    *("abc_class", "value_potential_quadrant", "service_tier", "cluster_name"),
)
TRAITS = (
    *("customer_type", "country", "top_category_1", "channel_preference"),
    *("product_preference", "need_type", "core_need", "age_band", "revenue_band"),
)
SHOWN_MEMBERS = 25
TAKEN_MEMBERS = 50_000


def show(view: View) -> None:
    """Show the page."""
    address.take("by", DIMENSIONS)
    left, right = st.columns(2)
    with left:
        dimension = st.selectbox(
            view.say("Dimension", "维度"),
            DIMENSIONS,
            key="by",
            format_func=view.named,
        )
    found = {row["code"]: row for row in codes_of(view, dimension)}
    codes = [code for code in view.ordered(dimension, found) if found[code]["customers"]]
    if not codes:
        parts.note(view.say("No customer has such a code at this day.", "该日没有客户属于此维度。"))
        return
    with right:
        code = st.selectbox(
            view.say("Segment", "分群"),
            codes,
            key=f"segment_{dimension}",
            format_func=lambda each: view.label(dimension, each),
        )
    row = found[code]
    parts.title(
        view.label(dimension, code),
        view.say(
            "{dimension}, as of {day}.",
            "{dimension}，截至{day}。",
            dimension=view.named(dimension),
            day=view.day(view.choice.as_of),
        ),
    )
    whole = sum(each["customers"] for each in found.values())
    money = sum(each["net_revenue_12m"] for each in found.values())
    parts.figures(
        [
            Figure(
                view.say("Customers", "客户数"),
                count(row["customers"]),
                view.say("{share} of all", "占{share}", share=rate(row["customers"] / whole)),
                key="customers",
            ),
            Figure(
                view.say("Net revenue, 12 months", "近12个月净营收"),
                count(row["net_revenue_12m"]),
                view.say(
                    "{share} of all",
                    "占{share}",
                    share=rate(row["net_revenue_12m"] / money if money > 0 else None),
                ),
                key="net_revenue_12m",
            ),
            Figure(
                view.say("Forecast, next 365 days", "未来365天预测"),
                count(row["clv_predicted"]),
                key="clv_predicted",
            ),
            *_summary(view, dimension, code),
        ]
    )
    _portrait(view, dimension, code)
    left, right = st.columns(2, gap="large")
    with left:
        _history(view, dimension, code)
    with right:
        _performance(view, dimension, code)
    _members(view, dimension, code)


def _summary(view: View, dimension: str, code: str) -> list[Figure]:
    """Return what only the summary of final segments knows, of all customers today."""
    if dimension != "final_segment" or not view.is_newest or view.choice.is_filtered:
        return []
    rows = [row for row in view.ask("summary") if row["segment"] == code]
    if not rows:
        return []
    (row,) = rows
    return [
        Figure(view.say("Repeat rate", "复购率"), rate(row["repeat_rate"]), key="repeat_rate"),
        Figure("NPS", count(row["nps"]), key="nps"),
        Figure(
            view.say("Satisfaction (1-5)", "满意度（1-5）"),
            "–" if row["csat_average"] is None else f"{row['csat_average']:.2f}",
            key="csat_average",
        ),
    ]


def _portrait(view: View, dimension: str, code: str) -> None:
    parts.section(
        view.say("Portrait", "画像"),
        view.say(
            "The two commonest answers to each question, by what customers are today; how "
            "common they are here, and among all.",
            "各项特征中最常见的两个取值（按客户当前画像）；在本群与全体客户中的占比。",
        ),
    )
    rows = [row for row in view.ask("portrait", column=dimension) if row["segment"] == code]
    lines = []
    for trait in TRAITS:
        own = [row for row in rows if row["trait"] == trait]
        here = sum(row["customers"] for row in own)
        known = [row for row in own if row["code"] != "unknown"]
        if not here or not known:
            continue
        for place, row in enumerate(known[:2]):
            lines.append(
                {
                    "trait": "" if place else _trait(view, trait),
                    "name": view.label(trait, row["code"]),
                    "share": row["customers"] / here,
                    "share_of_all": row["all_customers"] / row["all_answers"],
                    "index": (row["customers"] / here)
                    / (row["all_customers"] / row["all_answers"]),
                }
            )
    parts.table(
        [
            Column("trait", view.say("Question", "特征")),
            Column("name", view.say("Answer", "取值")),
            Column("share", view.say("Here", "本群"), "rate", bar=True),
            Column("share_of_all", view.say("Among all", "全体"), "rate"),
            Column("index", view.say("Times", "倍数"), "decimal"),
        ],
        lines,
        key="portrait",
    )


def _trait(view: View, trait: str) -> str:
    own = {
        "country": ("Country", "国家"),
        "top_category_1": ("Category bought most", "最常购买的品类"),
    }
    return view.say(*own[trait]) if trait in own else view.named(trait)


def history(view: View, dimension: str, code: str) -> list[Row]:
    """Return the customers of a code by the days of the history up to the one looked at."""
    if dimension not in OVER_TIME:
        return view.ask("code_over_time", column=dimension, code=code)
    return [
        row
        for row in over_time(view, dimension)
        if row["code"] == code and row["as_of_date"] <= view.choice.as_of
    ]


def _history(view: View, dimension: str, code: str) -> None:
    parts.section(view.say("Customers over time", "客户数变化"))
    rows = history(view, dimension, code)
    figure = go.Figure(
        go.Scatter(
            x=[row["as_of_date"] for row in rows],
            y=[row["customers"] for row in rows],
            mode="lines",
            line={"color": view.colour(dimension, code), "width": 2.5},
            hovertemplate="%{x|%Y-%m-%d}  %{y:,}<extra></extra>",
        )
    )
    figure.update_xaxes(tickformat="%Y-%m", nticks=6)
    figure.update_yaxes(tickformat="~s", nticks=5, rangemode="tozero")
    parts.chart(figure, "segment_history", view.say("Customers over time", "客户数变化"), 280)


def _performance(view: View, dimension: str, code: str) -> None:
    parts.section(
        view.say("In the 91 days afterwards", "其后91天表现"),
        view.say(
            "Share of the segment's customers of each past month-end who ordered again.",
            "各历史月末该群客户中再次下单的比例。",
        ),
    )
    rows = view.ask("performance", dimension=dimension, code=code)
    if not rows:
        parts.foot(view.say("Not measured for this dimension.", "该维度暂无统计。"))
        return
    figure = go.Figure(
        go.Bar(
            x=[row["as_of_date"] for row in rows],
            y=[row["return_rate"] for row in rows],
            customdata=[
                (count(row["customers"]), count(row["revenue_per_customer_next_3m"]))
                for row in rows
            ],
            marker_color=theme.ACCENT,
            hovertemplate=view.say(
                "%{x|%Y-%m-%d}: %{y:.1%} of %{customdata[0]}, %{customdata[1]} each",
                "%{x|%Y-%m-%d}：%{customdata[0]}位客户的%{y:.1%}，人均%{customdata[1]}",
            )
            + "<extra></extra>",
        )
    )
    figure.update_xaxes(tickformat="%Y-%m", nticks=6)
    figure.update_yaxes(tickformat=".0%", nticks=5, rangemode="tozero")
    parts.chart(figure, "performance", view.say("Return rate", "回购率"), 260)


def _members(view: View, dimension: str, code: str) -> None:
    parts.section(
        view.say("Its biggest customers", "头部客户"),
        view.say("By net revenue of 12 months.", "按近12个月净营收排序。"),
    )
    rows = view.ask("members", column=dimension, code=code, most=SHOWN_MEMBERS)
    parts.table(
        [
            Column("customer_id", view.say("Customer", "客户")),
            *(code_column(view, each) for each in ("rfm_segment", "value_tier", "lifecycle_stage")),
            Column(
                "net_revenue_12m", view.say("Net revenue, 12 months", "近12个月净营收"), "cents"
            ),
            Column("clv_predicted", view.say("Forecast", "预测价值"), "cents"),
        ],
        rows,
        key="members",
    )
    parts.foot(
        view.say(
            "The file has the first {most} customers of the segment.",
            "下载文件最多包含本群前{most}位客户。",
            most=count(TAKEN_MEMBERS),
        )
    )
    parts.downloads(
        view,
        f"customers-{code}",
        lambda: view.warehouse.ask(
            "members", view.choice, column=dimension, code=code, most=TAKEN_MEMBERS
        ),
    )
