"""Lifetime value: how the forecasts are spread, and how far they can be trusted."""

import plotly.graph_objects as go
import streamlit as st

from dashboard import parts, theme
from dashboard.codes import codes_of
from dashboard.parts import Column, Figure, code_column
from dashboard.view import View, count, decimal, shares

MODELS = {
    "bgnbd": ("BG/NBD", "BG/NBD"),
    "mbgnbd": ("MBG/NBD", "MBG/NBD"),
    "nbd": ("NBD", "NBD"),
    "naive_rate": ("As often as so far", "维持以往频率"),
    "last_year": ("As last year", "与去年相同"),
    "mean": ("The mean of all", "全体均值"),
}


def show(view: View) -> None:
    """Show the page."""
    parts.title(
        view.say("Lifetime value", "客户终身价值"),
        view.say(
            "What customers are expected to bring in the 365 days after {day}, discounted.",
            "客户在{day}之后365天内预计带来的价值（已折现）。",
            day=view.day(view.choice.as_of),
        ),
    )
    (totals,) = view.ask("clv_totals")
    parts.figures(
        [
            Figure(
                view.say("Forecast, all", "预测总值"),
                count(totals["clv_predicted"]),
                key="clv_predicted",
            ),
            Figure(
                view.say("Customers with a forecast", "有预测值的客户"),
                count(totals["forecasts"]),
                key="forecasts",
            ),
            Figure(
                view.say("Median forecast", "预测中位数"),
                decimal(totals["clv_median"]),
                key="clv_median",
            ),
            Figure(
                view.say("Probably still customers", "大概率仍活跃的客户"),
                count(totals["probably_alive"]),
                view.say("chance of 50% or more", "活跃概率50%及以上"),
                key="probably_alive",
            ),
        ]
    )
    left, right = st.columns(2, gap="large")
    with left:
        _distribution(view)
    with right:
        _by_segment(view)
    _calibration(view)
    _card(view)
    _status(view)


def _distribution(view: View) -> None:
    parts.section(
        view.say("Distribution", "分布"),
        view.say(
            "Customers by forecast, in steps of equal ratio.", "按预测值（等比区间）统计的客户数。"
        ),
    )
    rows = view.ask("clv_bins")

    def edge(step: int) -> str:
        return f"{10 ** (step / 4):,.0f}"

    names = [
        "< 1" if row["bin"] < 0 else f"{edge(row['bin'])}–{edge(row['bin'] + 1)}" for row in rows
    ]
    figure = go.Figure(
        go.Bar(
            x=names,
            y=[row["customers"] for row in rows],
            marker_color=theme.ACCENT,
            customdata=[count(row["clv_predicted"]) for row in rows],
            hovertemplate="%{x}: %{y:,}, Σ %{customdata}<extra></extra>",
        )
    )
    figure.update_layout(bargap=0.08)
    figure.update_xaxes(nticks=8, tickangle=-35)
    figure.update_yaxes(tickformat="~s", nticks=5)
    parts.chart(figure, "clv_bins", view.say("Customers by forecast", "预测值分布"), 320)


def _by_segment(view: View) -> None:
    parts.section(
        view.say("By segment", "按分群"),
        view.say("Forecast of all customers of a segment.", "各分群客户的预测总值。"),
    )
    found = {row["code"]: row for row in codes_of(view, "final_segment") if row["clv_predicted"]}
    rows = [found[code] for code in view.ordered("final_segment", found)]
    for row, share in zip(rows, shares(rows, "clv_predicted"), strict=True):
        row.update(share=share)
    parts.table(
        [
            code_column(view, "final_segment", key="code", dotted=True),
            Column("customers", view.say("Customers", "客户数"), "count"),
            Column("clv_predicted", view.say("Forecast", "预测价值"), "money"),
            Column("share", view.say("Share", "占比"), "rate", bar=True),
        ],
        rows,
        key="clv_by_segment",
    )


def _calibration(view: View) -> None:
    rows = view.ask("clv_calibration")
    for source in sorted({row["source"] for row in rows}):
        own = [row for row in rows if row["source"] == source]
        first = own[0]
        parts.section(
            view.say(
                "Forecast against what came: {source}", "预测与实际对照：{source}", source=source
            ),
            view.say(
                "Order days a customer in the {days} days after {day}, by tenth of the forecast "
                "(10 is the most); {model}.",
                "{day}之后{days}天内人均下单天数，按预测值十等分（10为最高）；{model}。",
                days=first["horizon_days"],
                day=view.day(first["origin_date"]),
                model=_model(view, first["model"]),
            ),
        )
        figure = go.Figure()
        for measure, name, colour in (
            ("predicted", view.say("Forecast", "预测"), theme.ACCENT),
            ("actual", view.say("What came", "实际"), "#e8a548"),
        ):
            figure.add_bar(
                x=[str(row["decile"]) for row in own],
                y=[row[measure] for row in own],
                name=name,
                marker_color=colour,
                hovertemplate="%{x}: %{y:.2f}<extra></extra>",
            )
        figure.update_layout(barmode="group", bargap=0.25)
        figure.update_xaxes(type="category")
        parts.chart(
            figure, f"calibration_{source}", view.say("Forecast and outcome", "预测与实际"), 300
        )


def _model(view: View, model: str) -> str:
    en, zh = MODELS.get(model, (model, model))
    return view.say(en, zh)


def _card(view: View) -> None:
    rows = view.ask("clv_card")
    if not rows:
        parts.note(
            view.say(
                "There is no backtest: the data do not reach back far enough, or too few customers "
                "came back.",
                "没有回测：数据历史不足，或回购客户过少。",
            )
        )
        return
    parts.section(
        view.say("Model card", "模型卡"),
        view.say(
            "The widest backtest from each past day, beside simple guesses. Ratio: forecast "
            "over what came, 1 is right. Error: order days off per customer. Coverage: share of "
            "customers whose spend fell into the 80% range.",
            "自各历史日期起最长的回测，并与简单猜测对照。比值：预测除以实际，1为准确；误差：人均下单天数偏差；"
            "覆盖率：实际消费落入80%区间的客户比例。",
        ),
    )
    widest: dict[tuple, int] = {}
    for row in rows:
        origin = row["source"], row["origin_date"]
        widest[origin] = max(widest.get(origin, 0), row["horizon_days"])
    rows = [row for row in rows if row["horizon_days"] == widest[row["source"], row["origin_date"]]]
    for row in rows:
        row.update(
            name=_model(view, row["model"]),
            used=view.say("in use", "使用中") if row["is_used"] else "",
        )
    parts.table(
        [
            Column("source", view.say("Source", "数据源")),
            Column("origin_date", view.say("From", "起点"), "day"),
            Column("horizon_days", view.say("Days", "天数"), "count"),
            Column("name", view.say("Model", "模型")),
            Column("used", ""),
            Column("aggregate_ratio", view.say("Ratio", "比值"), "decimal"),
            Column("mae", view.say("Error", "误差"), "decimal"),
            Column("coverage", view.say("Coverage", "覆盖率"), "rate"),
        ],
        rows,
        key="model_card",
    )
    parts.downloads(view, "model-card", lambda: view.ask("clv_card"))


def _status(view: View) -> None:
    parts.section(
        view.say("On what grounds", "预测依据"),
        view.say(
            "All customers, as of {day}.",
            "全部客户，截至{day}。",
            day=view.day(view.warehouse.days[0]),
        ),
    )
    rows = view.ask("clv_status")
    whole = sum(row["customers"] for row in rows)
    for row in rows:
        row.update(
            name=view.label("clv_status", row["clv_status"]),
            why=view.label("clv_reason", row["clv_reason"]) if row["clv_reason"] else "",
            basis=view.label("clv_basis", row["clv_basis"]) if row["clv_basis"] else "",
            share=row["customers"] / whole if whole else None,
        )
    parts.table(
        [
            Column("source", view.say("Source", "数据源")),
            Column("name", view.say("Status", "状态")),
            Column("why", view.say("Reason", "原因")),
            Column("basis", view.say("Basis", "口径")),
            Column("customers", view.say("Customers", "客户数"), "count"),
            Column("share", view.say("Share", "占比"), "rate", bar=True),
        ],
        rows,
        key="clv_status",
    )
