"""Movements: where customers went between two month-ends, with how much money, and why."""

import datetime

import plotly.graph_objects as go
import streamlit as st

from dashboard import address, parts, theme
from dashboard.parts import Column, Figure, code_column
from dashboard.view import View, change, count
from dashboard.warehouse import Row

DIMENSIONS = ("final_segment", "value_tier", "order_value_group", "lifecycle_stage")
# What a customer opens from who was not there, and closes in who is no longer.
OUTSIDE = "outside"


def show(view: View) -> None:
    """Show the page."""
    parts.title(
        view.say("Movements", "客户迁移"),
        view.say(
            "Where customers went between two month-ends, with how much money, and what moved "
            "them. Published for all customers: the filters do not apply here.",
            "两个月末之间客户的去向、涉及金额与原因。按全部客户发布，筛选条件在此不生效。",
        ),
    )
    days = view.ask("migration_days")
    if not days:
        parts.note(
            view.say(
                "The history holds fewer than two month-ends, so nobody has moved yet.",
                "历史记录不足两个月末，尚无迁移。",
            )
        )
        return
    befores = {row["as_of_date"]: row["from_as_of"] for row in days}
    offered = [day.isoformat() for day in befores]
    near = next((day for day in befores if day <= view.choice.as_of), next(iter(befores)))
    address.take("dimension", DIMENSIONS)
    left, right = st.columns(2)
    with left:
        dimension = st.selectbox(
            view.say("Dimension", "维度"),
            DIMENSIONS,
            key="dimension",
            format_func=view.named,
        )
    with right:
        chosen = st.selectbox(
            view.say("Month-end", "月末"),
            offered,
            index=offered.index(near.isoformat()),
            key=f"month_{view.choice.as_of}",
        )
    day = datetime.date.fromisoformat(chosen)
    rows = view.ask("migrations", dimension=dimension, day=day)
    _figures(view, rows, befores[day])
    left, right = st.columns([3, 2], gap="large")
    with left:
        _flow(view, dimension, rows, befores[day], day)
    with right:
        _causes(view, rows)
    _matrix(view, dimension, rows)
    parts.downloads(
        view,
        "migrations",
        lambda: view.ask("migrations", dimension=dimension, day=day),
    )
    _impact(view)


def is_move(row: Row) -> bool:
    """Return whether a row is of customers who changed their code, or came, or went."""
    return row["from_segment"] != row["to_segment"]


def customers_by_pair(rows: list[Row]) -> dict[tuple[str, str], int]:
    """Return the customers from each code to each code, whatever moved them."""
    found: dict[tuple[str, str], int] = {}
    for row in rows:
        pair = (row["from_segment"] or OUTSIDE, row["to_segment"] or OUTSIDE)
        found[pair] = found.get(pair, 0) + row["customers"]
    return found


def _figures(view: View, rows: list[Row], before: datetime.date) -> None:
    opening = sum(row["customers"] for row in rows if row["from_segment"] is not None)
    entries = sum(row["customers"] for row in rows if row["from_segment"] is None)
    exits = sum(row["customers"] for row in rows if row["to_segment"] is None)
    moved = sum(
        row["customers"]
        for row in rows
        if is_move(row) and row["from_segment"] is not None and row["to_segment"] is not None
    )
    money = sum(
        (row["closing_net_revenue_12m"] or 0) - (row["opening_net_revenue_12m"] or 0)
        for row in rows
    )
    parts.figures(
        [
            Figure(
                view.say("At the opening", "期初客户"),
                count(opening),
                view.day(before),
                key="opening",
            ),
            Figure(view.say("Came", "新进入"), count(entries), key="entries"),
            Figure(view.say("Went", "退出"), count(exits), key="exits"),
            Figure(
                view.say("At the closing", "期末客户"),
                count(opening + entries - exits),
                key="closing",
            ),
            Figure(view.say("Moved", "发生迁移"), count(moved), key="moved"),
            Figure(
                view.say("Revenue change, all", "净营收总变化"),
                change(money),
                key="money",
            ),
        ]
    )


def _flow(
    view: View, dimension: str, rows: list[Row], before: datetime.date, day: datetime.date
) -> None:
    parts.section(
        view.say("Where they went", "迁移去向"),
        f"{view.day(before)} → {view.day(day)}",
    )
    flows = customers_by_pair(rows)
    starts = [*view.ordered(dimension, {a for a, _ in flows} - {OUTSIDE}), OUTSIDE]
    ends = [*view.ordered(dimension, {b for _, b in flows} - {OUTSIDE}), OUTSIDE]
    starts = [code for code in starts if any(a == code for a, _ in flows)]
    ends = [code for code in ends if any(b == code for _, b in flows)]

    def name(code: str, is_start: bool) -> str:
        if code != OUTSIDE:
            return view.label(dimension, code)
        return view.say("New", "新客户") if is_start else view.say("Gone", "退出")

    def soft(code: str) -> str:
        colour = view.colour(dimension, code).lstrip("#")
        red, green, blue = (int(colour[place : place + 2], 16) for place in (0, 2, 4))
        return f"rgba({red},{green},{blue},0.32)"

    figure = go.Figure(
        go.Sankey(
            arrangement="snap",
            node={
                "label": [name(code, True) for code in starts]
                + [name(code, False) for code in ends],
                "color": [view.colour(dimension, code) for code in [*starts, *ends]],
                "pad": 14,
                "thickness": 14,
                "line": {"width": 0},
                "hovertemplate": "%{label}: %{value:,}<extra></extra>",
            },
            link={
                "source": [starts.index(a) for a, _ in flows],
                "target": [len(starts) + ends.index(b) for _, b in flows],
                "value": list(flows.values()),
                "color": [soft(a) for a, _ in flows],
                "hovertemplate": "%{source.label} → %{target.label}: %{value:,}<extra></extra>",
            },
            textfont={"size": 12, "color": theme.INK},
        )
    )
    parts.chart(figure, "flow", view.say("Flows between segments", "分群间流向"), 440)


def _causes(view: View, rows: list[Row]) -> None:
    parts.section(
        view.say("What moved them", "迁移原因"),
        view.say(
            "One cause for each move, the first that holds.", "每次迁移只计一个原因，取首个成立者。"
        ),
    )
    causes: dict[str, Row] = {}
    for row in rows:
        if not is_move(row):
            continue
        cause = causes.setdefault(row["cause"], {"code": row["cause"], "customers": 0, "money": 0})
        cause["customers"] += row["customers"]
        cause["money"] += (row["closing_net_revenue_12m"] or 0) - (
            row["opening_net_revenue_12m"] or 0
        )
    found = sorted(causes.values(), key=lambda row: -row["customers"])
    parts.table(
        [
            code_column(view, "cause", "code", view.say("Cause", "原因")),
            Column("customers", view.say("Customers", "客户数"), "count", bar=True),
            Column("money", view.say("Revenue change", "净营收变化"), "gain"),
        ],
        found,
        {
            "code": view.say("All", "合计"),
            "customers": sum(row["customers"] for row in found),
            "money": sum(row["money"] for row in found),
        },
        key="causes",
    )


def _matrix(view: View, dimension: str, rows: list[Row]) -> None:
    parts.section(
        view.say("The whole matrix", "迁移矩阵"),
        view.say(
            "Customers from the line's segment to the column's. Lines and entries add up to "
            "columns and exits.",
            "由行所示分群迁往列所示分群的客户数；行合计加新进入等于列合计加退出。",
        ),
    )
    cells = customers_by_pair(rows)
    ends = view.ordered(dimension, {b for _, b in cells} - {OUTSIDE})
    if any(b == OUTSIDE for _, b in cells):
        ends.append(OUTSIDE)
    starts = view.ordered(dimension, {a for a, _ in cells} - {OUTSIDE})
    if any(a == OUTSIDE for a, _ in cells):
        starts.append(OUTSIDE)

    def line(start: str) -> Row:
        found = {end: cells.get((start, end)) for end in ends}
        name = view.say("New", "新客户") if start == OUTSIDE else view.label(dimension, start)
        return {"name": name, **found, "all": sum(value or 0 for value in found.values())}

    lines = [line(start) for start in starts]
    total = {
        "name": view.say("All", "合计"),
        **{end: sum(each[end] or 0 for each in lines) for end in ends},
        "all": sum(each["all"] for each in lines),
    }
    heads = [
        Column(
            end, view.say("Gone", "退出") if end == OUTSIDE else view.label(dimension, end), "count"
        )
        for end in ends
    ]
    parts.table(
        [
            Column("name", view.say("From", "来自")),
            *heads,
            Column("all", view.say("All", "合计"), "count"),
        ],
        lines,
        total,
        key="matrix",
    )


def _impact(view: View) -> None:
    rows = view.ask("impact")
    if not rows:
        return
    parts.section(
        view.say("The latest change of the rules", "最近一次规则调整的影响"),
        view.say(
            "Customers whom the rules since {day} judge otherwise than those before.",
            "{day}起的规则与此前规则判定不同的客户。",
            day=view.day(rows[0]["changed_on"]),
        ),
    )
    for row in rows:
        row.update(
            named=view.named(row["dimension"]),
            start=view.label(row["dimension"], row["from_segment"]),
            end=view.label(row["dimension"], row["to_segment"]),
        )
    parts.table(
        [
            Column("named", view.say("Dimension", "维度")),
            Column("start", view.say("From", "从")),
            Column("end", view.say("To", "到")),
            Column("customers", view.say("Customers", "客户数"), "count", bar=True),
            Column(
                "net_revenue_12m", view.say("Net revenue, 12 months", "近12个月净营收"), "money"
            ),
        ],
        rows,
        key="impact",
    )
