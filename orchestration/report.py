"""The segment table that a run ends with, read from what was published."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from rich import box
from rich.console import Console
from rich.table import Table

from orchestration.home import Home
from orchestration.readers import open_published

SEGMENTS = """
    with behaviour as (
        select
            final_segment,
            median(recency_days) as median_recency_days,
            sum(orders_12m) / nullif(count(*), 0) as orders_each
        from customer_segments
        group by final_segment
    )

    select
        summary.segment,
        labels.label_en,
        labels.label_zh,
        summary.customers,
        summary.customers_change,
        summary.net_revenue_12m,
        summary.net_revenue_12m_change,
        behaviour.median_recency_days,
        behaviour.orders_each
    from segment_summary as summary
    inner join segment_labels as labels
        on labels.dimension = 'final_segment' and labels.code = summary.segment
    left join behaviour
        on summary.segment = behaviour.final_segment
    where
        summary.customers > 0 or summary.customers_change <> 0
        or summary.net_revenue_12m_change <> 0
    order by summary.sort_order
"""


REJECTIONS = """
    select
        rejected_rows.source || '/' || rejected_rows.feed,
        coalesce(labels.label_en, rejected_rows.rejection_reason),
        count(*) as records
    from rejected_rows
    left join segment_labels as labels
        on labels.dimension = 'rejection_reason' and labels.code = rejected_rows.rejection_reason
    group by all
    order by records desc, 1, 2
"""


# On a terminal that has colours: who carries the business, who is slipping away, who is gone.
COLOURS = {"top": "green", "loyal": "green", "slipping": "yellow", "dormant": "bright_black"}

NOTES = "select distinct note_en, note_zh from segment_summary where note_en <> ''"


@dataclass(frozen=True)
class SegmentRow:
    """One final segment as the published file has it.

    Money is in base currency, recency in days; changes are those since the month-end before.
    """

    code: str
    segment: str
    segment_zh: str
    customers: int
    customers_change: int
    net_revenue_12m: Decimal
    net_revenue_12m_change: Decimal
    median_recency_days: float | None
    orders_each: float | None


def segment_rows(place: Home) -> list[SegmentRow]:
    """Return the published segments, best first; only those that hold or have lost anybody."""
    with open_published(place) as connection:
        return [SegmentRow(*row) for row in connection.execute(SEGMENTS).fetchall()]


def render_rejections(place: Home, console: Console) -> None:
    """Print how many delivered records are out of the facts, and why; nothing if none is."""
    with open_published(place) as connection:
        found = connection.execute(REJECTIONS).fetchall()
    if found:
        reasons = "; ".join(f"{count:,} {feed}: {reason}" for feed, reason, count in found)
        console.print(
            f"Out of the facts (rejected_rows): {reasons}", highlight=False, soft_wrap=True
        )


def render_notes(place: Home, console: Console) -> None:
    """Print what nobody delivered and what is unknown for it; nothing if all was delivered."""
    with open_published(place) as connection:
        found = connection.execute(NOTES).fetchall()
    for english, chinese in found:
        console.print(english, style="yellow", highlight=False, soft_wrap=True)
        if console.width >= 120:
            console.print(chinese, style="yellow", highlight=False, soft_wrap=True)


def render_segments(rows: list[SegmentRow], console: Console) -> None:
    """Print the segment table; a narrow terminal gets fewer columns and never a cut number."""
    customers = sum(row.customers for row in rows)
    revenue = sum((row.net_revenue_12m for row in rows), Decimal(0))
    width = console.width
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    columns: list[tuple[str, int, Callable[[SegmentRow], str], str]] = [
        # Name, from which width on, value, total.
        ("Segment", 0, lambda row: row.segment, "All"),
        ("客户分群", 138, lambda row: row.segment_zh, ""),
        ("Customers", 0, lambda row: f"{row.customers:,}", f"{customers:,}"),
        (
            *("Change", 0, lambda row: _change(row.customers_change, ",")),
            _change(sum(row.customers_change for row in rows), ","),
        ),
        ("%", 92, lambda row: _share(row.customers, customers), ""),
        ("Net revenue 12m", 0, lambda row: f"{row.net_revenue_12m:,.2f}", f"{revenue:,.2f}"),
        (
            *("Change", 86, lambda row: _change(row.net_revenue_12m_change, ",.2f")),
            _change(sum((row.net_revenue_12m_change for row in rows), Decimal(0)), ",.2f"),
        ),
        ("%", 0, lambda row: _share(row.net_revenue_12m, revenue), ""),
        ("Days since", 118, lambda row: _number(row.median_recency_days, ".0f"), ""),
        ("Orders 12m", 118, lambda row: _number(row.orders_each, ".1f"), ""),
    ]
    shown = [column for column in columns if width >= column[1]]
    for name, *_ in shown:
        if name in ("Segment", "客户分群"):
            table.add_column(name, overflow="fold")
        else:
            table.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        table.add_row(*(value(row) for _, _, value, _ in shown), style=COLOURS.get(row.code))
    table.add_section()
    table.add_row(*(total for *_, total in shown), style="bold")
    console.print(table)
    behaviour = "Days since: median days since the last order. Orders 12m: mean orders a customer. "
    console.print(
        "Change: since the month-end before. "
        f"{behaviour if width >= 118 else ''}Guests are in no segment.",
        style="dim",
        highlight=False,
    )


def _change(value: int | Decimal, form: str) -> str:
    """Return a change with its sign, nothing where there is none."""
    return f"{value:+{form}}" if value else ""


def _number(value: float | None, form: str) -> str:
    return "" if value is None else f"{value:{form}}"


def _share(part: int | Decimal, whole: int | Decimal) -> str:
    """Return a share in percent, without a sign where it rounds to nothing."""
    return f"{round(part / whole * 100, 1) or 0:.1f}" if whole else ""
