"""The segment table that a run ends with, read from what was published."""

from dataclasses import dataclass
from decimal import Decimal

from rich import box
from rich.console import Console
from rich.table import Table

from orchestration.home import Home
from orchestration.versions import connect

SEGMENTS = """
    select
        headline_labels.label_en,
        labels.label_en,
        labels.label_zh,
        count(segments.customer_id) as customers,
        coalesce(sum(segments.net_revenue_12m), 0) as net_revenue_12m,
        median(segments.recency_days) as median_recency_days,
        sum(segments.orders_12m) / nullif(count(segments.customer_id), 0) as orders_each
    from customer_segments as segments
    inner join segment_labels as labels
        on labels.dimension = 'rfm_segment' and labels.code = segments.rfm_segment
    inner join segment_labels as headline_labels
        on
            headline_labels.dimension = 'headline_segment'
            and headline_labels.code = segments.headline_segment
    group by all
    order by min(headline_labels.sort_order), min(labels.sort_order)
"""


REJECTIONS = """
    select
        source || '/' || feed,
        rejection_reason,
        count(*) as records
    from rejected_rows
    group by all
    order by records desc, 1, 2
"""


NOTES = "select distinct note_en, note_zh from segment_summary where note_en <> ''"


@dataclass(frozen=True)
class SegmentRow:
    """One RFM segment as the published file has it; money in base currency, recency in days."""

    headline: str
    segment: str
    segment_zh: str
    customers: int
    net_revenue_12m: Decimal
    median_recency_days: float | None
    orders_each: float


def segment_rows(place: Home) -> list[SegmentRow]:
    """Return the published segments, best first; only those that hold anybody."""
    with connect(place) as connection:
        return [SegmentRow(*row) for row in connection.execute(SEGMENTS).fetchall()]


def render_rejections(place: Home, console: Console) -> None:
    """Print how many delivered records are out of the facts, and why; nothing if none is."""
    with connect(place) as connection:
        found = connection.execute(REJECTIONS).fetchall()
    if found:
        reasons = ", ".join(f"{count:,} {feed} {reason}" for feed, reason, count in found)
        console.print(f"Out of the facts (rejected_rows): {reasons}", highlight=False)


def render_notes(place: Home, console: Console) -> None:
    """Print what nobody delivered and what is unknown for it; nothing if all was delivered."""
    with connect(place) as connection:
        found = connection.execute(NOTES).fetchall()
    for english, chinese in found:
        console.print(english, style="yellow", highlight=False)
        if console.width >= 120:
            console.print(chinese, style="yellow", highlight=False)


def render_segments(rows: list[SegmentRow], console: Console) -> None:
    """Print the segment table; a narrow terminal gets fewer columns and never a cut number."""
    customers = sum(row.customers for row in rows)
    revenue = sum((row.net_revenue_12m for row in rows), Decimal(0))
    bilingual, wide = console.width >= 120, console.width >= 92
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for name in ("Headline", "Segment", *(["客户分群"] if bilingual else [])):
        table.add_column(name, overflow="fold")
    numbers = ["Customers", "%", "Net revenue 12m", "%"]
    for name in (*numbers, *(["Days since", "Orders 12m"] if wide else [])):
        table.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        recency = row.median_recency_days
        behaviour = ["" if recency is None else f"{recency:.0f}", f"{row.orders_each:.1f}"]
        table.add_row(
            *(row.headline, row.segment, *([row.segment_zh] if bilingual else [])),
            f"{row.customers:,}",
            _share(row.customers, customers),
            f"{row.net_revenue_12m:,.2f}",
            _share(row.net_revenue_12m, revenue),
            *(behaviour if wide else []),
        )
    table.add_section()
    blanks = [""] * (2 if bilingual else 1)
    table.add_row("All", *blanks, f"{customers:,}", "", f"{revenue:,.2f}")
    console.print(table)
    console.print(
        "Days since: median days since the last order. Orders 12m: mean orders a customer."
        " Guests are in no segment.",
        style="dim",
        highlight=False,
    )


def _share(part: int | Decimal, whole: int | Decimal) -> str:
    """Return a share in percent, without a sign where it rounds to nothing."""
    return f"{round(part / whole * 100, 1) or 0:.1f}" if whole else ""
