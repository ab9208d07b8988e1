"""The traps in which an engine, left alone, loses or alters data without an error.

T4, T5 and T7 to T10 are proved in test_csv.py, test_quarantine.py and test_types.py; the table in
docs/faults.md names each.
"""

import datetime as dt
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

RECORDS = 1_000_000
HALF = RECORDS // 2
LINE = HALF + 1  # of record 500,000: the header is line 1
HEAD = "order_id,name,amount\n"
QUOTED, PLAIN = '1,"n",1\n', "1,n,1\n"


def a_million(bad: str, good: str, at: int = HALF) -> str:
    """A file of a million good records, but the one at this place."""
    return HEAD + good * (at - 1) + bad + good * (RECORDS - at)


@pytest.mark.parametrize(
    "options",
    [
        "ignore_errors = true",
        "store_rejects = true, strict_mode = false",
        "store_rejects = true, strict_mode = false, parallel = false",
        "store_rejects = true",
    ],
    ids=["T1", "T2", "T2_one_thread", "T3"],
)
@pytest.mark.parametrize("good", [QUOTED, PLAIN], ids=["quoted", "plain"])
def test_the_engine_alone_loses_records_of_such_a_file(tmp_path: Path, options: str, good: str):
    # Not a wish but the trap itself: were it gone, the tests below would prove nothing.
    path = tmp_path / "a.csv"
    path.write_text(a_million('2,"n,1\n', good))
    with duckdb.connect() as connection:
        connection.execute(
            "create table landed as select * from read_csv($path, auto_detect = false, "
            "header = true, delim = ',', quote = '\"', escape = '\"', "
            "columns = {'a': 'varchar', 'b': 'varchar', 'c': 'varchar'}, " + options + ")",
            {"path": str(path)},
        )
        ((landed,),) = connection.execute("select count(*) from landed").fetchall()
        rejected = 0
        if "rejects" in options:
            ((rejected,),) = connection.execute("select count(*) from reject_errors").fetchall()
    assert landed + rejected < RECORDS


@pytest.mark.parametrize(
    ("good", "at"),
    [(QUOTED, HALF), (PLAIN, HALF), (PLAIN, RECORDS)],
    ids=["quoted", "plain", "last"],
)
def test_an_unclosed_quote_among_a_million_records_refuses_the_file(shop, good: str, at: int):
    content = a_million('2,"n,1\n', good, at)
    path = shop.deliver(content)
    report = shop.ingest()
    (result,) = report.results
    assert (result.status, result.rows_landed, result.rows_quarantined) == ("refused", 0, 0)
    assert f"the record at line {at + 1} holds a quoted value that does not end" in result.note
    assert any(result.note in warning for warning in report.warnings)
    assert path.read_text() == content
    assert shop.query("select count(*) from raw.shop__orders") == [(0,)]
    assert shop.query("select count(*) from raw.quarantine") == [(0,)]


def test_a_stray_quote_among_a_million_records_takes_no_neighbour_along(shop):
    # The value does not begin with the quote, so it is a character like any other.
    result = shop.take(a_million('2,n",1\n', PLAIN))
    counts = (result.status, result.records_counted, result.rows_landed, result.rows_quarantined)
    assert counts == ("landed", RECORDS, RECORDS, 0)
    rows = shop.query(
        "select order_id, name, count(*), min(_row_number) from raw.shop__orders group by all "
        "order by all"
    )
    assert rows == [("1", "n", RECORDS - 1, 1), ("2", 'n"', 1, HALF)]


@pytest.mark.parametrize("good", ['{},"n{}",{}\n', "{},n{},{}\n"], ids=["quoted", "plain"])
def test_a_quote_put_in_or_left_out_anywhere_loses_no_record(shop, good: str):
    records = [good.format(place, place, place) for place in range(1, 5)]
    text = HEAD + "".join(records)
    places = range(len(HEAD), len(text))
    damaged = [text[:place] + '"' + text[place:] for place in places]
    damaged += [text[:place] + text[place + 1 :] for place in places if text[place] == '"']
    names = [f"{place:03}.csv" for place in range(len(damaged))]
    for name, content in zip(names, damaged, strict=True):
        shop.deliver(content, name)
    results = shop.ingest().results
    assert [result.file_name for result in results] == names
    landed = dict(
        shop.query(
            "select _delivery_id, list((order_id, name, amount::int) order by _row_number) "
            "from raw.shop__orders group by all"
        )
    )
    whole = {(str(place), f"n{place}", place) for place in range(1, 5)}
    taken = [result for result in results if result.status == "landed"]
    for result in taken:
        counts = (result.records_counted, result.rows_landed + result.rows_quarantined)
        assert counts == (4, 4), result
        assert len(whole & set(landed[result.delivery_id])) >= 3, result
    for result, content in zip(results, damaged, strict=True):
        assert shop.path(result.file_name).read_text() == content
        if result.status != "landed":
            assert (result.status, result.rows_landed) == ("refused", 0)
            assert "holds a quoted value that does not end there" in result.note
    assert 0 < len(taken) < len(results)


TYPED = {  # T6: the type of a column, what it takes, and what it does not
    "amount": ("decimal(18,6)", "1.5", "1,5"),
    "pieces": ("bigint", "2", "2.5"),
    "rank": ("int", "3", "3000000000"),
    "weight": ("double", "0.5", "NaN"),
    "is_gift": ("boolean", "true", "perhaps"),
    "due": ("date", "2024-05-01", "01/05/2024"),
    "packed_at": ("timestamp", "2024-05-01 10:00", "10:00"),
}


def test_a_wrong_value_is_seen_in_every_column_whoever_reads_it_later(shop):
    # T6: a typed reading of the engine checks only the columns that a query asks for.
    shop.columns = shop.columns[:1] + [
        {"name": name, "data_type": data_type} for name, (data_type, *_) in TYPED.items()
    ]
    good = [taken for _, taken, _ in TYPED.values()]
    lines = [["good", *good]]
    for place, (_, _, wrong) in enumerate(TYPED.values()):
        lines.append([f"bad_{place}", *good[:place], wrong, *good[place + 1 :]])
    rows = "".join(",".join(f'"{value}"' for value in line) + "\n" for line in lines)
    result = shop.take(",".join(["order_id", *TYPED]) + "\n" + rows)
    counts = (result.status, result.records_counted, result.rows_landed, result.rows_quarantined)
    assert counts == ("landed", 8, 1, 7)
    assert [(line, column) for line, column, *_ in shop.quarantine()] == [
        (place + 3, name) for place, name in enumerate(TYPED)
    ]
    assert shop.rows(", ".join(["order_id", *TYPED])) == [
        ("good", Decimal("1.5"), 2, 3, 0.5, True, dt.date(2024, 5, 1), dt.datetime(2024, 5, 1, 10))
    ]
