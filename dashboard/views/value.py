"""Value: tiers and bands, value against potential, the groups A to E, ABC classes."""

from html import escape

import streamlit as st

from dashboard import parts, theme
from dashboard.codes import codes_of, codes_table
from dashboard.parts import Heat
from dashboard.view import View, count, rate

BANDS = ("high", "mid", "low")
# Where each code stands in its picture, by line from the top.
QUADRANTS = (("potential", "star"), ("low", "cash"))
GROUPS = (("C", "E"), ("B", "D"))


def show(view: View) -> None:
    """Show the page."""
    parts.title(
        view.say("Value", "客户价值"),
        view.say(
            "What customers bring in 12 months, how often they order, and what may still come.",
            "客户近12个月的贡献、下单频次与潜力。",
        ),
    )
    parts.section(view.say("Value tiers", "价值等级"))
    codes_table(view, "value_tier")
    left, right = st.columns(2, gap="large")
    with left:
        parts.section(
            view.named("value_potential_quadrant"),
            view.say("Up: more potential. Right: more revenue.", "向上潜力更大，向右营收更高。"),
        )
        _tiles(view, "value_potential_quadrant", QUADRANTS)
    with right:
        parts.section(
            view.say("Order groups A to E", "订单分组 A–E"),
            view.say(
                "Up: dearer orders. Right: more often. A has no order in 12 months.",
                "向上客单价更高，向右下单更频繁；A组近12个月没有下单。",
            ),
        )
        _tiles(view, "order_value_group", GROUPS, ("A",))
    _matrix(view)
    parts.section(view.named("abc_class"))
    codes_table(view, "abc_class")


def _tiles(view: View, dimension: str, lines: tuple, beside: tuple[str, ...] = ()) -> None:
    found = {row["code"]: row for row in codes_of(view, dimension)}
    shown = [code for line in lines for code in line]
    others = [code for code in view.ordered(dimension, found) if code not in shown]
    customers = sum(row["customers"] for row in found.values())
    most = max([found[code]["customers"] for code in shown if code in found], default=0)

    def tile(code: str, is_wide: bool = False) -> str:
        row = found.get(code, {"customers": 0, "net_revenue_12m": 0})
        depth = row["customers"] / most if most and not is_wide else 0
        ink = theme.ink_on(depth)
        share = rate(row["customers"] / customers if customers else None)
        return (
            f'<div class="seg-tile" data-figure="{dimension}:{escape(code)}" style="'
            f'background:{theme.shade(depth)};color:{ink};{"grid-column:1/-1" if is_wide else ""}">'
            f'<div class="name">{escape(view.label(dimension, code))}</div>'
            f'<div class="value">{count(row["customers"])}</div>'
            f'<div class="note">{share} · {count(row["net_revenue_12m"])}</div></div>'
        )

    tiles = "".join(tile(code) for line in lines for code in line)
    tiles += "".join(tile(code, True) for code in [*others] if code in found or code in beside)
    st.html(
        f'<div class="seg-tiles" style="grid-template-columns:repeat({len(lines[0])},1fr)">'
        f"{tiles}</div>"
    )
    parts.foot(
        view.say(
            "Customers; their share, and their net revenue of 12 months.",
            "客户数；占比与近12个月净营收。",
        )
    )


def _matrix(view: View) -> None:
    parts.section(
        view.say("Spend and frequency", "消费与频次"),
        view.say(
            "Customers in each pair of bands; their net revenue of 12 months below.",
            "每一对等级中的客户数，下方为近12个月净营收。",
        ),
    )
    cells = {
        (row["code"], row["other_code"]): row
        for row in view.ask("cross", column="spend_band", other="frequency_band")
    }
    most = max((row["customers"] for row in cells.values()), default=0)

    def cell(spend: str, frequency: str) -> Heat:
        row = cells.get((spend, frequency), {"customers": 0, "net_revenue_12m": 0})
        return Heat(
            count(row["customers"]),
            row["customers"] / most if most else 0,
            below=count(row["net_revenue_12m"]),
        )

    often = tuple(reversed(BANDS))
    parts.heat_table(
        [view.label("frequency_band", band) for band in often],
        [
            (view.label("spend_band", spend), [cell(spend, each) for each in often])
            for spend in BANDS
        ],
        "spend_frequency",
    )
