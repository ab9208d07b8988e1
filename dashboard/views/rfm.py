"""RFM: the grid of recency and frequency, the segments drawn on it, the cuts behind the scores."""

import plotly.graph_objects as go
import streamlit as st

from dashboard import parts, theme
from dashboard.codes import codes_table
from dashboard.parts import Column, code_column
from dashboard.view import View, count

SCORES = (1, 2, 3, 4, 5)


def show(view: View) -> None:
    """Show the page."""
    parts.title(
        view.say("RFM grid", "RFM矩阵"),
        view.say(
            "Recency, frequency and money, each scored 1 to 5 with 5 best. Equal customers always "
            "share a score.",
            "近度、频次、金额各评1至5分，5分最好；相同的客户必得同分。",
        ),
    )
    rows = view.ask("rfm_grid")
    if not rows:
        parts.note(
            view.say(
                "Too few buyers to rank, so nobody has scores at this day.",
                "购买客户过少，无法排名，该日没有评分。",
            )
        )
        return
    measure = st.segmented_control(
        view.say("Shown", "显示"),
        ["customers", "net_revenue_12m", "m_score"],
        default="customers",
        required=True,
        key="rfm_measure",
        format_func={
            "customers": view.say("Customers", "客户数"),
            "net_revenue_12m": view.say("Net revenue, 12 months", "近12个月净营收"),
            "m_score": view.say("Mean money score", "平均金额得分"),
        }.get,
        label_visibility="collapsed",
    )
    _grid(view, rows, measure or "customers")
    parts.section(view.say("The segments of the grid", "矩阵中的分群"))
    codes_table(view, "rfm_segment")
    _cuts(view)


def _grid(view: View, rows: list, measure: str) -> None:
    cells = {(row["r_score"], row["f_score"]): row for row in rows}
    values = [
        [float(cells[r, f][measure]) if (r, f) in cells else None for f in SCORES] for r in SCORES
    ]
    texts = [
        [
            "" if value is None else (f"{value:.1f}" if measure == "m_score" else count(value))
            for value in line
        ]
        for line in values
    ]
    figure = go.Figure(
        go.Heatmap(
            x=[f"F{f}" for f in SCORES],
            y=[f"R{r}" for r in SCORES],
            z=values,
            text=texts,
            texttemplate="%{text}",
            colorscale=[list(step) for step in theme.SEQUENCE],
            showscale=False,
            xgap=4,
            ygap=4,
            hovertemplate="%{y} %{x}: %{text}<extra></extra>",
        )
    )
    figure.update_xaxes(title=view.say("Frequency: more often to the right", "频次：向右更高"))
    figure.update_yaxes(
        title=view.say("Recency: more recent at the top", "近度：向上更近"), showgrid=False
    )
    parts.chart(figure, "rfm_grid", view.say("Customers by R and F score", "R与F得分分布"), 400)


def _cuts(view: View) -> None:
    rows = view.ask("rfm_cuts")
    if not rows:
        return
    parts.section(
        view.say("Where the scores were cut", "评分分界"),
        view.say(
            "Of the last month-end that the history holds at this day.",
            "取该日之前历史记录中最近的月末。",
        ),
    )
    parts.table(
        [
            code_column(view, "dimension", head=view.say("Score", "得分项")),
            Column("score", view.say("Points", "分值"), "count"),
            Column("lower_bound", view.say("From", "下限"), "cents"),
            Column("upper_bound", view.say("To", "上限"), "cents"),
            Column("customers", view.say("Customers", "客户数"), "count", bar=True),
        ],
        rows,
        key="rfm_cuts",
    )
