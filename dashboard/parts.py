"""The parts that pages are made of: figures, tables, charts, notes, downloads."""

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from html import escape
from typing import Any

import plotly.graph_objects as go
import streamlit as st
from openpyxl import Workbook

from dashboard import view as form
from dashboard.theme import ink_on, shade, template
from dashboard.view import View
from dashboard.warehouse import Row

# A spreadsheet would run a text that begins so as a formula.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
FORMATS: dict[str, Callable[[Any], str]] = {
    "text": lambda value: form.NONE if value is None else str(value),
    "count": form.count,
    "money": form.count,
    "cents": form.decimal,
    "decimal": form.decimal,
    "rate": form.rate,
    "change": form.change,
    # A change that is good or bad by its sign, and coloured so.
    "gain": form.change,
    "day": lambda value: form.NONE if value is None else f"{value:%Y-%m-%d}",
    "moment": lambda value: form.NONE if value is None else f"{value:%Y-%m-%d %H:%M}",
}
STYLES = {"text": "", "day": "when", "moment": "when"}


@dataclass(frozen=True)
class Figure:
    """A figure at the head of a page: `note` stands below, coloured by the sign of `trend`."""

    name: str
    value: str
    note: str = ""
    trend: float | Decimal | None = None
    key: str = ""


@dataclass(frozen=True)
class Column:
    """A column of a table: `key` in the row, its heading, how its values read.

    `bar` draws the value's share of the greatest beside it; `dot` colours by the row's code; `say`
    names the value in place of `form`, except in a total.
    """

    key: str
    head: str
    form: str = "text"
    bar: bool = False
    dot: Callable[[Row], str] | None = None
    say: Callable[[Any], str] | None = None


@dataclass(frozen=True)
class Heat:
    """A cell of a heat table: what it says, how deep its colour is (0 to 1), what the mouse learns
    there, and a second line."""

    said: str
    depth: float
    hint: str = ""
    below: str = ""


def code_column(
    view: View, dimension: str, key: str = "", head: str = "", dotted: bool = False
) -> Column:
    """Return the column of a code, named in the reader's language and, if `dotted`, coloured.

    `key` and `head` are the dimension's own unless given.
    """
    own = key or dimension
    return Column(
        own,
        head or view.named(dimension),
        dot=(lambda row: view.colour(dimension, row[own])) if dotted else None,
        say=lambda code: view.label(dimension, code),
    )


def title(name: str, lead: str) -> None:
    """Open a page."""
    st.title(name, anchor=False)
    st.html(f'<p class="seg-lead">{escape(lead)}</p>')


def section(name: str, note: str = "") -> None:
    """Open a section of a page, with what one needs to know to read it."""
    said = f"<span>{escape(note)}</span>" if note else ""
    st.html(f'<div class="seg-section"><b>{escape(name)}</b>{said}</div>')


def note(text: str) -> None:
    """Say something that a reader must not miss."""
    st.html(f'<div class="seg-note">{escape(text)}</div>')


def foot(text: str) -> None:
    """Say something small below a chart or table."""
    st.html(f'<div class="seg-foot">{escape(text)}</div>')


def figures(items: Sequence[Figure]) -> None:
    """Show figures side by side."""
    cells = []
    for item in items:
        trend = "" if not item.trend else " up" if item.trend > 0 else " down"
        cells.append(
            f'<div class="seg-kpi" data-figure="{escape(item.key)}">'
            f'<div class="name">{escape(item.name)}</div>'
            f'<div class="value">{escape(item.value)}</div>'
            f'<div class="note{trend}">{escape(item.note)}</div></div>'
        )
    st.html(f'<div class="seg-kpis">{"".join(cells)}</div>')


def table(
    columns: Sequence[Column],
    rows: Sequence[Row],
    total: Row | None = None,
    key: str = "",
) -> None:
    """Show a table of few rows: names to the left, numbers to the right, a bar where asked."""
    head = "".join(
        f'<th class="{STYLES.get(column.form, "number")}">{escape(column.head)}</th>'
        + ('<th class="bar"></th>' if column.bar else "")
        for column in columns
    )
    greatest = {
        column.key: max((abs(row[column.key] or 0) for row in rows), default=0)
        for column in columns
        if column.bar
    }
    body = "".join(_line(columns, row, greatest) for row in rows)
    if total is not None:
        body += _line(columns, total, {}, "total")
    st.html(
        f'<div class="seg-scroll" data-table="{escape(key)}"><table class="seg">'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _line(columns: Sequence[Column], row: Row, greatest: dict[str, Any], kind: str = "") -> str:
    cells = []
    for column in columns:
        value = row.get(column.key)
        if column.say is not None and not kind:
            said = column.say(value)
        else:
            said = "" if kind and value is None else FORMATS[column.form](value)
        shown = escape(said)
        if column.dot is not None and not kind:
            shown = f'<span class="dot" style="background:{column.dot(row)}"></span>{shown}'
        if column.form == "gain" and value:
            shown = f'<span class="{"up" if value > 0 else "down"}">{shown}</span>'
        cells.append(f'<td class="{STYLES.get(column.form, "number")}">{shown}</td>')
        if column.bar:
            most = greatest.get(column.key)
            width = 0 if not most else round(100 * float(max(value or 0, 0) / most))
            drawn = f'<i style="width:{width}%"></i>' if most else ""
            cells.append(f'<td class="bar">{drawn}</td>')
    return f'<tr class="{kind}">{"".join(cells)}</tr>'


def heat_table(
    columns: Sequence[str],
    lines: Sequence[tuple[str, Sequence[Heat | None]]],
    key: str,
    corner: str = "",
    small: bool = False,
) -> None:
    """Show a table whose cells are the darker, the more they hold; `small` for many columns."""
    head = "".join(f'<th class="number">{escape(name)}</th>' for name in columns)
    body = "".join(
        f"<tr><td>{escape(name)}</td>{''.join(map(_heat, cells))}</tr>" for name, cells in lines
    )
    st.html(
        f'<div class="seg-scroll" data-table="{escape(key)}">'
        f'<table class="seg heats{" small" if small else ""}">'
        f"<thead><tr><th>{escape(corner)}</th>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _heat(cell: Heat | None) -> str:
    if cell is None:
        return "<td></td>"
    below = f"<br><small>{escape(cell.below)}</small>" if cell.below else ""
    return (
        f'<td class="heat" title="{escape(cell.hint)}" style="background:{shade(cell.depth)};'
        f'color:{ink_on(cell.depth)}">{escape(cell.said)}{below}</td>'
    )


def pairs(items: Sequence[tuple[str, str, str]], key: str = "") -> None:
    """Show names, each with what holds and why."""
    inner = "".join(
        f"<dt>{escape(name)}</dt><dd><b>{escape(said)}</b>"
        + (f'<div class="why">{escape(why)}</div>' if why else "")
        + "</dd>"
        for name, said, why in items
    )
    st.html(f'<dl class="seg" data-list="{escape(key)}">{inner}</dl>')


def chart(figure: go.Figure, key: str, alt: str, height: int = 320) -> None:
    """Show a chart in the dashboard's look; `alt` says what it shows to those who cannot see it."""
    figure.update_layout(template=template(), height=height)
    st.plotly_chart(
        figure, theme=None, key=key, alt=alt, config={"displayModeBar": False, "responsive": True}
    )


def as_csv(rows: Sequence[Row]) -> bytes:
    """Return rows as CSV that Excel opens: with a byte order mark, no cell read as a formula."""
    stream = io.StringIO(newline="")
    writer = csv.writer(stream)
    if rows:
        writer.writerow(rows[0])
        writer.writerows([[_plain(value) for value in row.values()] for row in rows])
    return b"\xef\xbb\xbf" + stream.getvalue().encode("utf-8")


def as_xlsx(rows: Sequence[Row]) -> bytes:
    """Return rows as an Excel workbook, no cell read as a formula."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet("segments")
    if rows:
        sheet.append(list(rows[0]))
    for row in rows:
        sheet.append([_plain(value) for value in row.values()])
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def _plain(value: object) -> object:
    if isinstance(value, str) and value.startswith(FORMULA_STARTS):
        return "'" + value
    return value


def downloads(view: View, name: str, rows: Callable[[], Sequence[Row]]) -> None:
    """Offer rows as CSV and Excel; they are read only when somebody takes them."""
    day = view.choice.as_of
    with st.container(horizontal=True, gap="small"):
        for kind, write in (("csv", as_csv), ("xlsx", as_xlsx)):
            st.download_button(
                kind.upper(),
                data=lambda write=write: write(rows()),
                file_name=f"{name}-{day}.{kind}",
                key=f"download_{name}_{kind}",
                on_click="ignore",
                icon=":material/download:",
                type="tertiary",
            )
