"""Customer: find one, read why it is where it is, see its history."""

import plotly.graph_objects as go
import streamlit as st

from dashboard import address, parts, theme
from dashboard.parts import Column, code_column
from dashboard.view import View
from orchestration.evidence import CustomerNotFound, read_evidence
from orchestration.explain import explain
from orchestration.home import home

FOUND = 12
CODES = ("final_segment", "value_tier", "lifecycle_stage")


def show(view: View) -> None:
    """Show the page."""
    parts.title(
        view.say("Customer", "客户查询"),
        view.say(
            "Why a customer is in its segment, what would lift it, and when it falls; as of {day}.",
            "客户为何属于该分群、如何升级、何时会降级；截至{day}。",
            day=view.day(view.warehouse.days[0]),
        ),
    )
    address.take("customer")
    given = st.text_input(
        view.say("Customer id, or how it begins", "客户编号，或其开头"),
        key="customer",
        placeholder="shop:C0000001",
    ).strip()
    if not given:
        _list(view, view.ask("biggest", most=FOUND), view.say("The biggest ones", "头部客户"))
        return
    try:
        evidence = read_evidence(home(), given, view.language)
    except CustomerNotFound as error:
        found = view.ask("search", id=given, most=FOUND)
        if found:
            _list(view, found, view.say("Customers that begin so", "匹配的客户"))
        else:
            parts.note(str(error))
        return
    told = explain(evidence, view.language)
    parts.section(told.title)
    parts.pairs([(item.heading, item.verdict, item.why) for item in told.items], key="explanation")
    customer_id = evidence.segments["customer_id"]
    _revenue(view, customer_id)
    _history(view, customer_id)


def _list(view: View, rows: list, name: str) -> None:
    parts.section(name)
    parts.table(
        [
            Column("customer_id", view.say("Customer", "客户")),
            *(code_column(view, dimension) for dimension in CODES),
            Column(
                "net_revenue_12m", view.say("Net revenue, 12 months", "近12个月净营收"), "cents"
            ),
        ],
        rows,
        key="found",
    )


def _revenue(view: View, customer_id: str) -> None:
    rows = view.ask("customer_revenue", id=customer_id)
    if not rows:
        return
    parts.section(view.say("Net revenue by month", "月度净营收"))
    figure = go.Figure(
        go.Bar(
            x=[row["month"] for row in rows],
            y=[float(row["net_revenue"]) for row in rows],
            marker_color=theme.ACCENT,
            hovertemplate="%{x|%Y-%m}  %{y:,.2f}<extra></extra>",
        )
    )
    figure.update_xaxes(tickformat="%Y-%m", nticks=8)
    figure.update_yaxes(tickformat="~s", nticks=4)
    parts.chart(figure, "customer_revenue", view.say("Net revenue by month", "月度净营收"), 240)


def _history(view: View, customer_id: str) -> None:
    parts.section(view.say("Month-ends", "历史月末"))
    rows = view.ask("customer_history", id=customer_id)
    parts.table(
        [
            Column("as_of_date", view.say("As of", "截止日期"), "day"),
            *(code_column(view, dimension, dotted=dimension == CODES[0]) for dimension in CODES),
            Column("rfm_code", "RFM"),
            Column(
                "net_revenue_12m", view.say("Net revenue, 12 months", "近12个月净营收"), "cents"
            ),
        ],
        rows,
        key="history",
    )
    parts.downloads(view, "customer-history", lambda: view.ask("customer_history", id=customer_id))
