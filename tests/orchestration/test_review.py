"""The month's report as text: what is left out, and what stands there where there is nothing."""

import datetime as dt

import pytest

from orchestration.review import Section, render

MANIFEST = {
    "version": 3,
    "as_of_date": "2026-06-30",
    "published_at": "2026-07-01T04:10:00+00:00",
    "schema_version": "0.5.0",
    "rule_version": "abc",
}
HEADINGS = ("dimension", "segment", "customers", "returned", "day")


def lines(*rows: tuple, counted: int | None = 2) -> list[str]:
    section = Section("Segments", HEADINGS, list(rows), "No segments.", counted)
    return render(MANIFEST, [section], ["Look here."], smallest=5).splitlines()


def test_a_report_says_of_what_it_is_and_what_to_look_at():
    text = lines()
    assert text[0] == "# Review as of 2026-06-30"
    assert "Version 3, published 2026-07-01T04:10:00+00:00" in text[2]
    assert "- Look here." in text
    assert text[-1] == "No segments."
    assert "Nothing." in render(MANIFEST, [], [], smallest=5)


@pytest.mark.parametrize(
    ("customers", "row"),
    [
        (4, "| value_tier | high | under 5 |  | 2026-06-30 |"),
        (0, "| value_tier | high | under 5 |  | 2026-06-30 |"),
        (5, "| value_tier | high | 5 | 0.250 | 2026-06-30 |"),
    ],
)
def test_figures_of_a_few_customers_are_left_out(customers: int, row: str):
    assert lines(("value_tier", "high", customers, 0.25, dt.date(2026, 6, 30)))[-1] == row


def test_rows_that_count_no_customers_are_shown_whole():
    assert lines(("a", "b", 1, 0.25, None), counted=None)[-1] == "| a | b | 1 | 0.250 |  |"


def test_a_text_cannot_break_its_table():
    assert lines(("a|b", "c\nd", 9, True, None))[-1] == "| a\\|b | c d | 9 | yes |  |"
