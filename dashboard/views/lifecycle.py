"""Lifecycle: stages now and over time, moves between them, cohorts of first orders."""

import datetime

import plotly.graph_objects as go

from dashboard import parts, theme
from dashboard.codes import codes_table, over_time
from dashboard.parts import Heat
from dashboard.view import View, count, rate

DIMENSION = "lifecycle_stage"


def show(view: View) -> None:
    """Show the page."""
    parts.title(
        view.say("Lifecycle", "客户生命周期"),
        view.say(
            "Every customer is in exactly one stage, from the first contact to the last order.",
            "每位客户在任一时点只属于一个阶段，从首次接触到流失。",
        ),
    )
    parts.section(view.say("Stages", "各阶段"))
    codes_table(view, DIMENSION)
    _over_time(view)
    _moves(view)
    _cohorts(view)


def _over_time(view: View) -> None:
    parts.section(view.say("Stages over time", "各阶段变化趋势"))
    rows = [row for row in over_time(view, DIMENSION) if row["as_of_date"] <= view.choice.as_of]
    days = sorted({row["as_of_date"] for row in rows})
    figure = go.Figure()
    for code in view.ordered(DIMENSION, (row["code"] for row in rows)):
        by_day = {row["as_of_date"]: row["customers"] for row in rows if row["code"] == code}
        figure.add_scatter(
            x=days,
            y=[by_day.get(day, 0) for day in days],
            name=view.label(DIMENSION, code),
            stackgroup="all",
            mode="lines",
            line={"width": 0.6, "color": theme.PAPER},
            fillcolor=view.colour(DIMENSION, code),
            hovertemplate="%{x|%Y-%m-%d}  %{y:,}",
        )
    figure.update_xaxes(tickformat="%Y-%m", nticks=8)
    figure.update_yaxes(tickformat="~s", nticks=5)
    figure.update_layout(hovermode="x unified")
    parts.chart(figure, "stages_over_time", view.say("Customers by stage", "各阶段客户数"), 360)


def _moves(view: View) -> None:
    if view.choice.before is None:
        return
    parts.section(
        view.say("Moves between stages", "阶段转移"),
        view.say(
            "Customers by their stage on {before} (lines) and on {day} (columns).",
            "按{before}所处阶段（行）与{day}所处阶段（列）统计的客户数。",
            before=view.day(view.choice.before),
            day=view.day(view.choice.as_of),
        ),
    )
    rows = view.add_up("stage_moves", ["from_code", "to_code"], ["customers"])
    cells = {(row["from_code"], row["to_code"]): row["customers"] for row in rows}
    stages = view.ordered(DIMENSION, [code for pair in cells for code in pair])
    names = [view.label(DIMENSION, code) for code in stages]
    lines = []
    for start, name in zip(stages, names, strict=True):
        whole = sum(cells.get((start, end), 0) for end in stages)
        line = [
            Heat(
                count(cells[start, end]), cells[start, end] / whole, rate(cells[start, end] / whole)
            )
            if (start, end) in cells
            else None
            for end in stages
        ]
        lines.append((name, line))
    parts.heat_table(names, lines, "stage_moves")
    parts.foot(
        view.say(
            "The darker, the greater the share of the line's customers who went there.",
            "颜色深浅为该行占比。",
        )
    )


def _cohorts(view: View) -> None:
    rows = [row for row in view.ask("cohorts") if row["is_complete"]]
    if not rows:
        return
    parts.section(
        view.say("Cohorts", "同期群留存"),
        view.say(
            "Share of those who first ordered in a month that ordered again so many months later; "
            "all customers, as of {day}.",
            "某月首次下单的客户在其后各月再次下单的比例；全部客户，截至{day}。",
            day=view.day(view.warehouse.days[0]),
        ),
    )
    cells = {(row["cohort_month"], row["months_since"]): row for row in rows}
    cohorts = sorted({month for month, age in cells if age > 0})
    ages = sorted({age for _, age in cells if age > 0})
    most = max((row["retention_rate"] for (_, age), row in cells.items() if age > 0), default=0)

    def cell(month: datetime.date, age: int) -> Heat | None:
        row = cells.get((month, age))
        if row is None:
            return None
        return Heat(
            rate(row["retention_rate"], 0),
            float(row["retention_rate"] / most) if most else 0,
            view.say(
                "{month}, month {age}: {share} of {customers}",
                "{month}第{age}个月：{customers}位客户的{share}",
                month=f"{month:%Y-%m}",
                age=age,
                share=rate(row["retention_rate"]),
                customers=count(row["customers"]),
            ),
        )

    parts.heat_table(
        [str(age) for age in ages],
        [(f"{month:%Y-%m}", [cell(month, age) for age in ages]) for month in cohorts],
        "cohorts",
        corner=view.say("Months later", "其后月数"),
        small=True,
    )
    first = [cells[month, 3] for month in cohorts if (month, 3) in cells]
    if first:
        customers = sum(row["customers"] for row in first)
        back = sum(row["customers"] * row["retention_rate"] for row in first)
        parts.foot(
            view.say(
                "Three months on, {share} of the customers of these cohorts ordered.",
                "首次下单三个月后，上述同期群中{share}的客户再次下单。",
                share=rate(back / customers if customers else None),
            )
        )
    parts.downloads(view, "cohorts", lambda: view.ask("cohorts"))
