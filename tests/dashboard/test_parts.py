"""Do the dashboard's parts say what they are given, and nothing that a program would run?"""

import io
from datetime import date
from decimal import Decimal

import pytest
from openpyxl import load_workbook

from dashboard import serve, theme, view
from dashboard.parts import as_csv, as_xlsx

ROWS = [
    {"name": "=1+1", "amount": Decimal("10.50"), "day": date(2026, 6, 30)},
    {"name": "客户", "amount": None, "day": None},
    {"name": "-5", "amount": Decimal("-5.00"), "day": None},
]


def test_a_csv_opens_in_excel_with_chinese_and_runs_no_formula():
    written = as_csv(ROWS)
    assert written.startswith(b"\xef\xbb\xbf")
    lines = written.decode("utf-8-sig").splitlines()
    assert lines == ["name,amount,day", "'=1+1,10.50,2026-06-30", "客户,,", "'-5,-5.00,"]


def test_a_workbook_keeps_numbers_as_numbers_and_runs_no_formula():
    sheet = load_workbook(io.BytesIO(as_xlsx(ROWS))).active
    assert [cell.value for cell in sheet[1]] == ["name", "amount", "day"]
    assert [cell.data_type for cell in sheet[2]][:2] == ["s", "n"]
    assert (sheet["A2"].value, sheet["B2"].value, sheet["B4"].value) == ("'=1+1", 10.5, -5)


def test_no_rows_make_an_empty_file():
    assert as_csv([]) == b"\xef\xbb\xbf"
    assert load_workbook(io.BytesIO(as_xlsx([]))).active.max_row == 1


@pytest.mark.parametrize(
    ("form", "value", "said"),
    [
        (view.count, 1234567.4, "1,234,567"),
        (view.count, Decimal("-12.5"), "−12"),
        (view.count, None, "–"),
        (view.decimal, Decimal("1234.5"), "1,234.50"),
        (view.rate, 0.12345, "12.3%"),
        (view.rate, None, "–"),
        (view.change, 1200, "+1,200"),
        (view.change, Decimal("-3"), "−3"),
        (view.change, 0, "0"),
        (view.change, Decimal("-0.2"), "0"),
    ],
)
def test_numbers_read_as_people_write_them(form, value, said):
    assert form(value) == said


def test_colours_go_from_best_to_least_and_leave_the_unranked_grey():
    found = theme.colours(("high", "mid", "low", "unknown"))
    assert found["high"] == theme.BEST_TO_LEAST[0]
    assert found["low"] == theme.BEST_TO_LEAST[-1]
    assert found["unknown"] == theme.NEUTRAL
    assert len(set(found.values())) == 4


def test_shares_of_nothing_are_none():
    assert view.shares([{"a": 1}, {"a": 3}], "a") == [0.25, 0.75]
    assert view.shares([{"a": 0}, {"a": None}], "a") == [None, None]


def test_the_server_listens_on_loopback_and_reports_to_nobody():
    options = serve.command(8501)
    assert "--server.address=127.0.0.1" in options
    assert "--browser.gatherUsageStats=false" in options
