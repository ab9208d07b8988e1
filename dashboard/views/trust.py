"""Data trust: does it add up, what was delivered, what was refused, how fresh is it."""

import streamlit as st

from dashboard import parts
from dashboard.parts import Column, Figure, code_column
from dashboard.view import View, count


def show(view: View) -> None:
    """Show the page."""
    parts.title(
        view.say("Data trust", "数据可信度"),
        view.say(
            "Whether the figures add up, and what they rest on. All customers, newest version.",
            "数字是否对得上、依据是什么。全部客户，最新版本。",
        ),
    )
    manifest = view.warehouse.manifest
    reconciled = view.ask("reconciliation")
    feeds = view.ask("deliveries")
    off = sum(1 for row in reconciled if row["difference"])
    parts.figures(
        [
            Figure(
                view.say("Data until", "数据截至"), view.day(view.warehouse.days[0]), key="as_of"
            ),
            Figure(
                view.say("Version", "版本"),
                count(view.warehouse.number),
                manifest["published_at"][:16].replace("T", " ") + " UTC",
                key="version",
            ),
            Figure(
                view.say("Sums that reconcile", "对账一致的指标"),
                f"{len(reconciled) - off} / {len(reconciled)}",
                view.say("to the cent, with the ledger", "与账本分毫不差"),
                key="reconciled",
            ),
            Figure(
                view.say("Rows delivered", "送达记录数"),
                count(
                    sum((row["rows_landed"] or 0) + (row["rows_quarantined"] or 0) for row in feeds)
                ),
                view.say(
                    "{rows} could not be read",
                    "其中{rows}行无法读取",
                    rows=count(sum(row["rows_quarantined"] or 0 for row in feeds)),
                ),
                key="rows_delivered",
            ),
            Figure(
                view.say("Files refused", "被拒文件"),
                count(sum(row["refused"] for row in feeds)),
                key="refused",
            ),
        ]
    )
    _reconciliation(view, reconciled)
    _deliveries(view, feeds)
    left, right = st.columns(2, gap="large")
    with left:
        _rejections(view)
    with right:
        _restatements(view)
    _overrides(view)


def _reconciliation(view: View, rows: list) -> None:
    parts.section(
        view.say("Reconciliation", "对账"),
        view.say(
            "Each table's sum and what it leaves out (guests; in cohorts who never ordered, too) "
            "are the ledger's sum. A difference fails the build.",
            "各表合计加上未计入者（游客；同期群还包括从未下单者）等于账本合计；若有差异，构建即失败。",
        ),
    )
    parts.table(
        [
            Column("mart", view.say("Table", "表")),
            Column("measure", view.say("Measure", "指标")),
            Column("mart_total", view.say("Sum", "合计"), "cents"),
            Column("guest_total", view.say("Left out", "未计入"), "cents"),
            Column("ledger_total", view.say("Ledger", "账本"), "cents"),
            Column("difference", view.say("Difference", "差异"), "cents"),
        ],
        rows,
        key="reconciliation",
    )
    parts.downloads(view, "reconciliation", lambda: view.ask("reconciliation"))


def _deliveries(view: View, rows: list) -> None:
    parts.section(view.say("Deliveries", "数据送达"))
    parts.table(
        [
            Column("source", view.say("Source", "数据源")),
            Column("feed", view.say("Feed", "数据流")),
            Column("landed", view.say("Files taken", "已接收文件"), "count"),
            Column("refused", view.say("Refused", "被拒"), "count"),
            Column("rows_landed", view.say("Rows", "记录数"), "count", bar=True),
            Column("rows_quarantined", view.say("Not readable", "无法读取"), "count"),
            Column("last_loaded_at", view.say("Last taken (UTC)", "最近接收（UTC）"), "moment"),
        ],
        rows,
        key="deliveries",
    )
    refused = view.ask("refusals")
    if refused:
        parts.section(view.say("Files that do not count", "未计入的文件"))
        parts.table(
            [
                Column("delivery_id", view.say("No.", "编号"), "count"),
                Column("source", view.say("Source", "数据源")),
                Column("feed", view.say("Feed", "数据流")),
                Column("file_name", view.say("File", "文件")),
                Column("status", view.say("Status", "状态")),
                Column("note", view.say("Why", "原因")),
            ],
            refused,
            key="refusals",
        )


def _rejections(view: View) -> None:
    parts.section(
        view.say("Records out of the facts", "未计入事实的记录"),
        view.say("Kept, with the reason; in no figure.", "保留并注明原因，不计入任何数字。"),
    )
    rows = view.ask("rejections")
    parts.table(
        [
            Column("source", view.say("Source", "数据源")),
            Column("feed", view.say("Feed", "数据流")),
            code_column(view, "rejection_reason", head=view.say("Reason", "原因")),
            Column("records", view.say("Records", "记录数"), "count", bar=True),
        ],
        rows,
        key="rejections",
    )
    parts.downloads(view, "rejections", lambda: view.ask("rejections"))


def _restatements(view: View) -> None:
    parts.section(
        view.say("Restated month-ends", "重述的月末"),
        view.say("Month-ends computed anew after they were reported.", "发布后又重新计算的月末。"),
    )
    rows = view.ask("restatements")
    if not rows:
        parts.foot(view.say("None.", "无。"))
        return
    parts.table(
        [
            Column("as_of_date", view.say("Month-end", "月末"), "day"),
            Column("reason", view.say("Reason", "原因")),
            Column("customers_changed", view.say("Customers", "客户数"), "count"),
            Column("net_revenue_12m_before", view.say("Before", "此前"), "money"),
            Column("net_revenue_12m_after", view.say("After", "此后"), "money"),
        ],
        rows,
        key="restatements",
    )


def _overrides(view: View) -> None:
    rows = view.ask("overrides")
    if not rows:
        return
    parts.section(
        view.say("Segments set by hand", "人工指定的分群"),
        view.say(
            "Who said so, why, and whether it turned out right.", "由谁、因何指定，事后是否正确。"
        ),
    )
    parts.table(
        [
            Column("customer_id", view.say("Customer", "客户")),
            code_column(view, "final_segment", "segment", view.say("Set to", "指定为")),
            Column("author", view.say("By", "指定人")),
            Column("reason", view.say("Why", "理由")),
            Column("valid_from", view.say("From", "自"), "day"),
            Column("valid_to", view.say("Until", "至"), "day"),
            code_column(
                view, "final_segment", "model_segment_now", view.say("The rules say", "规则判定")
            ),
            code_column(view, "override_outcome", head=view.say("Turned out", "事后结果")),
        ],
        rows,
        key="overrides",
    )
