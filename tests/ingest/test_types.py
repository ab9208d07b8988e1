"""A value is taken exactly or goes to the quarantine; it is never altered and never lost."""

import datetime as dt
from decimal import Decimal

import pytest

TAKEN = [
    ("bigint", "5", 5),
    ("bigint", "+5", 5),
    ("bigint", "-0012", -12),
    ("bigint", " 7 ", 7),
    ("bigint", "9223372036854775807", 9223372036854775807),
    ("int", "2147483647", 2147483647),
    ("decimal(18,6)", "5.7", Decimal("5.7")),
    ("decimal(18,6)", "-0.000001", Decimal("-0.000001")),
    ("decimal(18,6)", "1.50000000", Decimal("1.5")),
    ("decimal(18,6)", "999999999999.999999", Decimal("999999999999.999999")),
    ("decimal(5,0)", "12.000", Decimal("12")),
    ("double", "1e5", 100000.0),
    ("double", "-2.5", -2.5),
    ("boolean", "TRUE", True),
    ("boolean", "no", False),
    ("boolean", "1", True),
    ("date", "2024-02-29", dt.date(2024, 2, 29)),
    ("timestamp", "2024-03-10 02:30:00", dt.datetime(2024, 3, 10, 2, 30)),
    ("timestamp", "2024-03-10T02:30", dt.datetime(2024, 3, 10, 2, 30)),
    ("timestamp", "2024-03-10T02:30:00.123456", dt.datetime(2024, 3, 10, 2, 30, 0, 123456)),
    # T8: the offset counts
    ("timestamp", "2024-03-10T02:30:00+08:00", dt.datetime(2024, 3, 9, 18, 30)),
    ("timestamp", "2024-03-10T02:30:00-0330", dt.datetime(2024, 3, 10, 6, 0)),
    ("timestamp", "2024-03-10 02:30Z", dt.datetime(2024, 3, 10, 2, 30)),
    ("timestamp", "2024-05-01 00:00:00.123 +0800", dt.datetime(2024, 4, 30, 16, 0, 0, 123000)),
    ("timestamp", "2024-05-01T00:00 -03:30", dt.datetime(2024, 5, 1, 3, 30)),
    ("timestamp", " 2024-05-01 00:00:00 +08 ", dt.datetime(2024, 4, 30, 16, 0)),
    ("timestamp", "2024-05-01 00:00:00 Z", dt.datetime(2024, 5, 1)),
    ("timestamp", "2024-05-01", dt.datetime(2024, 5, 1)),
    ("timestamp", " 2024-05-01 ", dt.datetime(2024, 5, 1)),
    ("string", "007", "007"),
]
BROKEN = [
    *[("bigint", text) for text in ("5.7", "5.0", "1_000", "1e5", "x", "9223372036854775808")],
    ("int", "2147483648"),
    *[
        ("decimal(18,6)", text)
        for text in (
            *("1_000", "1e5", "NaN", "Infinity", "1,234", "1.234,56", "$5", "(5.00)", "5%", ".5"),
            *("5.", "5.5555555", "1000000000000", "99e15", "٣", "- 5", "0x10"),
            *("-Infinity", "inf", "nan", "1e20", "100000000000000000000", "-1000000000000"),
            *("¥5", "5 CNY", "5元", "1 234", "1'234.5", "5-", "1,234.56", "1.234.567"),
            *("NULL", "N/A", "-"),
        )
    ],
    *[("double", text) for text in ("1e400", "NaN", "inf", "-Infinity", "1,5", "$5")],
    *[("boolean", text) for text in ("ja", "2", "t")],
    *[
        ("date", text)
        for text in (
            *("03/04/2024", "2024-02-30", "45292", "2024-3-1", "20240301", "2024-03-01 00:00:00"),
        )
    ],
    *[
        ("timestamp", text)
        for text in (
            *("2024-02-30", "2024-3-10", "2024-03-10Z", "2024-03-10 +08:00", "20240310"),
            *(
                "2024-03-10 02:30  +08:00",
                "2024-03-10 24:00:00",
                "2024-03-10 02:30:60",
                "10/03/2024 02:30",
            ),
            *("2024-03-10 02:30:00 Europe/London", "2024-02-30 10:00:00", "1710037800"),
        )
    ],
]


def one_file(shop, cells):
    """Deliver one row per cell, quoted, and return what was landed by id."""
    lines = [f'{place},"{cell}"' for place, cell in enumerate(cells)]
    result = shop.take("\n".join(["order_id,value", *lines]))
    assert result.status == "landed", result.note
    return dict(shop.query("select order_id::bigint, value from raw.shop__orders"))


@pytest.mark.parametrize("data_type", sorted({data_type for data_type, *_ in TAKEN}))
def test_what_is_taken_is_exact(shop, data_type):
    cases = [(cell, value) for kind, cell, value in TAKEN if kind == data_type]
    landed = one_file(shop.typed(data_type), [cell for cell, _ in cases])
    assert landed == dict(enumerate(value for _, value in cases))


@pytest.mark.parametrize("data_type", sorted({data_type for data_type, _ in BROKEN}))
def test_what_is_not_exact_is_quarantined(shop, data_type):
    cells = [cell for kind, cell in BROKEN if kind == data_type]
    assert one_file(shop.typed(data_type), cells) == {}
    found = shop.quarantine()
    assert [(line, column) for line, column, *_ in found] == [
        (place + 2, "value") for place in range(len(cells))
    ]
    for (_, _, reason, text), (place, cell) in zip(found, enumerate(cells), strict=True):
        assert text == f'{place},"{cell}"'
        assert reason.startswith("value: ")
        assert cell not in reason or len(cell) == 1  # the reason is published, the text is not


@pytest.mark.parametrize(
    ("timezone", "text", "utc"),
    [
        ("Asia/Shanghai", "2024-01-01 07:30:00", dt.datetime(2023, 12, 31, 23, 30)),
        ("Asia/Shanghai", "2024-01-01", dt.datetime(2023, 12, 31, 16, 0)),
        ("Asia/Shanghai", "2024-01-01T07:30:00Z", dt.datetime(2024, 1, 1, 7, 30)),
        ("Europe/London", "2011-06-01 10:00:00", dt.datetime(2011, 6, 1, 9, 0)),
        ("Europe/London", "2011-12-01 10:00:00", dt.datetime(2011, 12, 1, 10, 0)),
        # the clock skips this hour, and repeats that one
        ("Europe/London", "2024-03-31 01:30:00", dt.datetime(2024, 3, 31, 1, 30)),
        ("Europe/London", "2024-10-27 01:30:00", dt.datetime(2024, 10, 27, 1, 30)),
        ("America/New_York", "2024-07-04 23:30", dt.datetime(2024, 7, 5, 3, 30)),
    ],
)
def test_local_time_becomes_utc(shop, timezone, text, utc):
    shop.contract["timezone"] = timezone
    assert one_file(shop.typed("timestamp"), [text]) == {0: utc}


def test_only_declared_date_formats_are_read_in_their_order(shop):
    shop.typed("date", date_formats=["%d/%m/%Y", "%d.%m.%Y"])
    cells = ["03/04/2024", "3.4.2024", "2024-04-03", "13/13/2024", "03/04/24"]
    april = dt.date(2024, 4, 3)
    assert one_file(shop, cells) == {0: april, 1: april}
    assert [line for line, *_ in shop.quarantine()] == [4, 5, 6]


def test_declared_timestamp_formats_know_local_time_and_offsets(shop):
    shop.contract["timezone"] = "Asia/Shanghai"
    shop.typed("timestamp", timestamp_formats=["%d/%m/%Y %H:%M", "%d/%m/%Y %H:%M %z"])
    landed = one_file(shop, ["01/02/2024 08:00", "01/02/2024 08:00 +0100"])
    assert landed == {0: dt.datetime(2024, 2, 1, 0, 0), 1: dt.datetime(2024, 2, 1, 7, 0)}


def test_a_declared_decimal_comma(shop):
    shop.typed("decimal(18,6)", decimal_separator=",")
    assert one_file(shop, ["5,25", "7", "5.25", "1.234,56"]) == {
        0: Decimal("5.25"),
        1: Decimal("7"),
    }
    assert [line for line, *_ in shop.quarantine()] == [4, 5]
