"""Overview: how many, how much, what changed, how concentrated."""

from decimal import Decimal

import plotly.graph_objects as go
import streamlit as st

from dashboard import parts, theme
from dashboard.codes import codes_table
from dashboard.parts import Figure
from dashboard.view import View, change, count, rate
from orchestration.wording import Language


def show(view: View) -> None:
    """Show the page."""
    parts.title(
        view.say("Customers as of {day}", "客户总览 · 截至{day}", day=view.day(view.choice.as_of)),
        view.say(
            "Who the customers are, what they brought in 12 months, and what changed since the "
            "month-end before.",
            "客户构成、近12个月贡献，以及较上一个月末的变化。",
        ),
    )
    _missing(view)
    _figures(view)
    _segments(view)
    left, right = st.columns(2, gap="large")
    with left:
        _revenue(view)
    with right:
        _concentration(view)


def _missing(view: View) -> None:
    for row in view.ask("notes"):
        parts.note(row["note_en"] if view.language is Language.en else row["note_zh"])


def _figures(view: View) -> None:
    (now,) = view.ask("totals")
    since = view.day(view.choice.before)

    def moved(measure: str) -> tuple[str, Decimal | None]:
        if view.choice.before is None:
            return view.say("no month-end before", "无上一月末"), None
        by = (now[measure] or 0) - (now[f"{measure}_before"] or 0)
        return view.say("{by} since {since}", "较{since} {by}", by=change(by), since=since), by

    items = [
        ("customers", view.say("Customers", "客户数"), count(now["customers"])),
        (
            "buyers_12m",
            view.say("Buyers of 12 months", "近12个月购买客户"),
            count(now["buyers_12m"]),
        ),
        (
            "net_revenue_12m",
            view.say("Net revenue, 12 months", "近12个月净营收"),
            count(now["net_revenue_12m"]),
        ),
        (
            "clv_predicted",
            view.say("Forecast value, next 365 days", "未来365天预测价值"),
            count(now["clv_predicted"]),
        ),
    ]
    parts.figures([Figure(name, value, *moved(key), key=key) for key, name, value in items])


def _segments(view: View) -> None:
    parts.section(
        view.say("Segments", "客户分群"),
        view.say(
            "The final word: recency, frequency and money, then the calibration rules, then what "
            "people who know the customer say.",
            "最终分群：先按RFM，再按校准规则，最后以了解客户的人员判断为准。",
        ),
    )
    codes_table(view, "final_segment")


def _revenue(view: View) -> None:
    parts.section(
        view.say("Net revenue by month", "月度净营收"),
        view.say(
            "Sales less returns and refunds, by the day they happened; 24 months."
            + ("" if view.choice.is_filtered else " Guests included."),
            "销售减退货退款，按发生日计，近24个月。"
            + ("" if view.choice.is_filtered else "含游客。"),
        ),
    )
    first = view.choice.as_of.replace(day=1, year=view.choice.as_of.year - 2)
    rows = [
        row
        for row in view.add_up("revenue", ["month"], ["net_revenue"])
        if first < row["month"] <= view.choice.as_of
    ]
    figure = go.Figure(
        go.Bar(
            x=[row["month"] for row in rows],
            y=[float(row["net_revenue"]) for row in rows],
            marker_color=theme.ACCENT,
            hovertemplate="%{x|%Y-%m}  %{y:,.0f}<extra></extra>",
        )
    )
    figure.update_layout(bargap=0.25)
    figure.update_xaxes(tickformat="%Y-%m", nticks=7)
    figure.update_yaxes(tickformat="~s", nticks=5)
    parts.chart(figure, "revenue", view.say("Net revenue by month", "月度净营收"), 290)


def _concentration(view: View) -> None:
    rows = view.ask("concentration")
    parts.section(
        view.say("Concentration", "营收集中度"),
        view.say(
            "Share of revenue and margin that the top customers hold; all customers, as of {day}.",
            "头部客户所占营收与毛利的份额；全部客户，截至{day}。",
            day=view.day(view.warehouse.days[0]),
        ),
    )
    figure = go.Figure()
    for measure, name, colour, dash in (
        ("revenue_share", view.say("Revenue", "营收"), theme.ACCENT, "solid"),
        ("margin_share", view.say("Margin", "毛利"), "#d9713f", "dot"),
    ):
        known = [row for row in rows if row[measure] is not None]
        if known:
            figure.add_scatter(
                x=[0, *(row["percentile"] for row in known)],
                y=[0, *(row[measure] for row in known)],
                name=name,
                mode="lines",
                line={"color": colour, "width": 2.5, "dash": dash},
                hovertemplate="%{x}%: %{y:.1%}<extra></extra>",
            )
    for row in rows:
        if row["percentile"] == 20 and row["revenue_share"] is not None:
            figure.add_annotation(
                x=20,
                y=row["revenue_share"],
                text=view.say(
                    "top 20%: {share}", "前20%客户：{share}", share=rate(row["revenue_share"])
                ),
                showarrow=True,
                arrowcolor=theme.MUTED,
                ax=70,
                ay=34,
                font={"color": theme.INK},
            )
    figure.update_xaxes(ticksuffix="%", range=[0, 100], nticks=6)
    figure.update_yaxes(tickformat=".0%", range=[0, 1.02], nticks=6)
    parts.chart(figure, "concentration", view.say("Concentration", "营收集中度"), 290)
