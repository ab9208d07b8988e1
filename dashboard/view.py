"""What a page is given: the version, the reader's choice and language, the names of codes."""

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

import streamlit as st

from dashboard.theme import NEUTRAL, colours
from dashboard.warehouse import Choice, Row, Warehouse, added
from orchestration.wording import Language, Words

NONE = "–"
MINUS = "−"


@dataclass(frozen=True)
class View:
    """One reader's look at one version.

    `labels` gives a code's name, `codes` a dimension's codes from best to least.
    """

    warehouse: Warehouse
    choice: Choice
    language: Language
    labels: dict[tuple[str, str], Words]
    codes: dict[str, tuple[str, ...]]

    def say(self, en: str, zh: str, **filled: object) -> str:
        """Return the words in the reader's language; without values, braces stay braces."""
        said = en if self.language is Language.en else zh
        return said.format(**filled) if filled else said

    def ask(self, query: str, **bound: object) -> list[Row]:
        """Return a query's rows for the reader's choice."""
        return asked(self.warehouse, query, self.choice, **bound)

    def add_up(
        self, query: str, by: Sequence[str], measures: Sequence[str], **bound: object
    ) -> list[Row]:
        """Return the rows of a query, for the reader's filters added up from its cube.

        The cube is read once, so that a new filter reads no customer; one of a past day, which
        nobody asked ahead, costs more than asking for the filter itself.
        """
        everybody = Choice(self.choice.as_of, self.choice.before)
        if not self.choice.is_filtered:
            return asked(self.warehouse, query, everybody, **bound)
        if not self.is_newest and self.warehouse.mattering(query, everybody) is not None:
            return asked(self.warehouse, query, self.choice, **bound)
        rows = asked(self.warehouse, query, everybody, cube=True, **bound)
        return added(rows, self.choice, by, measures)

    def label(self, dimension: str, code: str | None) -> str:
        """Return the name of a code, the code itself where nobody named it.

        Only who never ordered has no code.
        """
        if code is None and (dimension, "no_order") not in self.labels:
            return self.say("Never ordered", "从未下单")
        code = code or "no_order"
        words = self.labels.get((dimension, code))
        return code if words is None else words.say(self.language)

    def named(self, dimension: str) -> str:
        """Return the name of a dimension."""
        return self.label("dimension", dimension)

    def colour(self, dimension: str, code: str | None) -> str:
        """Return the colour of a code, the same on every page."""
        return colours(self.codes.get(dimension, ())).get(code or "", NEUTRAL)

    def ordered(self, dimension: str, present: Iterable[str | None]) -> list[str]:
        """Return those of a dimension's codes that are present, from best to least."""
        there = {code for code in present if code is not None}
        known = [code for code in self.codes.get(dimension, ()) if code in there]
        return known + sorted(there - set(known))

    @property
    def is_newest(self) -> bool:
        """Whether the newest as-of is looked at, for which there are more measures."""
        return self.choice.as_of == self.warehouse.days[0]

    def day(self, day: datetime.date | datetime.datetime | None) -> str:
        """Return a day as people write it."""
        if day is None:
            return NONE
        return self.say(f"{day:%Y-%m-%d}", f"{day.year}年{day.month}月{day.day}日")


def asked(
    warehouse: Warehouse, query: str, choice: Choice | None = None, **bound: object
) -> list[Row]:
    """Return a query's rows; the same question to the same version is asked once."""
    mattering = warehouse.mattering(query, choice)
    return _asked(warehouse, warehouse.number, query, mattering, **bound)


@st.cache_data(max_entries=400, show_spinner=False)
def _asked(
    _warehouse: Warehouse, number: int, query: str, choice: Choice | None, **bound: object
) -> list[Row]:
    return _warehouse.ask(query, choice, **bound)


def count(value: float | Decimal | None) -> str:
    """Return a whole number with thousands apart."""
    return NONE if value is None else f"{value:,.0f}".replace("-", MINUS)


def decimal(value: float | Decimal | None, places: int = 2) -> str:
    """Return a number with its decimals."""
    return NONE if value is None else f"{value:,.{places}f}".replace("-", MINUS)


def rate(value: float | Decimal | None, places: int = 1) -> str:
    """Return a share in percent."""
    if value is None:
        return NONE
    # Added to zero, a share that rounds to nothing loses its sign.
    return f"{round(100 * float(value), places) + 0.0:,.{places}f}%".replace("-", MINUS)


def change(value: float | Decimal | None) -> str:
    """Return a whole number with its sign."""
    if value is None:
        return NONE
    return f"{value:+,.0f}".replace("-", MINUS) if round(value) else "0"


def read_labels(
    warehouse: Warehouse,
) -> tuple[dict[tuple[str, str], Words], dict[str, tuple[str, ...]]]:
    """Return the names of codes, and the codes of each dimension from best to least."""
    labels: dict[tuple[str, str], Words] = {}
    codes: dict[str, list[str]] = {}
    for row in warehouse.ask("labels"):
        labels[row["dimension"], row["code"]] = Words(row["label_en"], row["label_zh"])
        codes.setdefault(row["dimension"], []).append(row["code"])
    return labels, {name: tuple(each) for name, each in codes.items()}


def shares(rows: Sequence[Row], measure: str) -> list[float | None]:
    """Return each row's share of the sum of a measure, None where the sum is not above zero."""
    whole = sum((row[measure] or 0) for row in rows)
    return [float((row[measure] or 0) / whole) if whole > 0 else None for row in rows]
