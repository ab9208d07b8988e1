"""Faults of delivered files, by their numbers in docs/faults.md, that no other test generates."""

import datetime as dt
import gzip
import hashlib
import io
import itertools
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from orchestration.home import PROJECT

HEAD = "order_id,name,amount\n"
GOOD = HEAD + "1,Ann,1.5\n2,Bob,2\n"
LANDED = [("1", "Ann", "1.500000"), ("2", "Bob", "2.000000")]


def values(shop, cells):
    """Deliver one row per cell, quoted, and return what was landed by place."""
    lines = [f'{place},"{cell}"' for place, cell in enumerate(cells)]
    result = shop.take("\n".join(["order_id,value", *lines]))
    assert (result.status, result.records_counted) == ("landed", len(cells)), result.note
    assert result.rows_landed + result.rows_quarantined == len(cells)
    return dict(shop.query("select order_id::int, value from raw.shop__orders"))


def test_11_a_day_that_reads_two_ways_is_read_as_declared_first(shop):
    # 03/04 is a day of April or of March; only the contract can say.
    cells = ["03/04/2024", "04/13/2024", "13/04/2024", "2024-04-03"]
    shop.typed("date", date_formats=["%d/%m/%Y", "%m/%d/%Y"])
    april = dt.date(2024, 4, 13)
    assert values(shop, cells) == {0: dt.date(2024, 4, 3), 1: april, 2: april}
    assert [text for *_, text in shop.quarantine()] == ['3,"2024-04-03"']


def test_11_the_other_order_declared_reads_the_other_day(shop):
    shop.typed("date", date_formats=["%m/%d/%Y"])
    assert values(shop, ["03/04/2024", "13/04/2024"]) == {0: dt.date(2024, 3, 4)}


@pytest.mark.parametrize("data_type", ["date", "timestamp"])
@pytest.mark.parametrize("declared", [[], ["%d/%m/%Y"]], ids=["iso", "declared"])
def test_12_a_serial_number_of_a_spreadsheet_is_no_day(shop, data_type, declared):
    shop.typed(data_type, **{f"{data_type}_formats": declared})
    assert values(shop, ["45292", "45292.5", "1"]) == {}
    assert len(shop.quarantine()) == 3


@pytest.mark.parametrize("cut", [3, 1 << 20], ids=["cut", "whole"])
def test_16_every_mix_of_line_ends_in_one_file(shop, monkeypatch, cut):
    monkeypatch.setattr("orchestration.delivery.CHUNK", cut)
    mixes = list(itertools.product(["\n", "\r\n", "\r"], repeat=3))
    ends = [end for mix in mixes for end in mix]
    lines = [f'{place},"a\r\nb\rc\n{place}",1{end}' for place, end in enumerate(ends)]
    result = shop.take(HEAD + "".join(lines))
    assert (result.records_counted, result.rows_landed) == (81, 81)
    expected = [(str(place), f"a\r\nb\rc\n{place}", "1.000000") for place in range(81)]
    assert shop.rows() == expected


def test_17_gb18030_is_transcoded_and_the_original_stays(shop):
    # Of one, two and four bytes; the last is outside Unicode's first plane.
    content = GOOD.replace("Ann", "A张\u00e9𠀀").encode("gb18030")
    shop.contract["encoding"] = "gb18030"
    path = shop.deliver(content)
    assert shop.ingest().results[0].rows_landed == 2
    assert shop.rows("name") == [("A张\u00e9𠀀",), ("Bob",)]
    assert path.read_bytes() == content
    assert shop.query("select sha256, bytes from raw.deliveries") == [
        (hashlib.sha256(content).hexdigest(), len(content))
    ]


def test_18_undeclared_cp1252_is_refused_and_recognised(shop):
    content = GOOD.replace("Ann", "café").encode("cp1252")
    path = shop.deliver(content)
    (result,) = shop.ingest().results
    assert result.status == "refused"
    assert "does not decode; it would decode as cp1252. Declare" in result.note
    assert "caf" not in result.note
    assert path.read_bytes() == content
    shop.contract["encoding"] = "cp1252"
    assert shop.ingest().results[0].rows_landed == 2
    assert shop.rows("name") == [("café",), ("Bob",)]


def test_18_a_byte_that_cp1252_lacks_is_not_guessed(shop):
    shop.contract["encoding"] = "cp1252"
    assert shop.take(GOOD.encode().replace(b"Ann", b"A\x81")).status == "refused"
    assert shop.rows() == []


@pytest.mark.parametrize("order", ["le", "be"])
def test_19_utf_16_of_a_spreadsheet_in_either_byte_order(shop, order):
    content = ("\ufeff" + GOOD.replace("Ann", "张三").replace("\n", "\r\n")).encode(
        f"utf-16-{order}"
    )
    assert "decode as utf-16" in shop.take(content).note
    shop.contract["encoding"] = "utf-16"
    assert shop.ingest().results[0].rows_landed == 2
    assert shop.rows("name") == [("张三",), ("Bob",)]


@pytest.mark.parametrize("declared", ["utf-8", "utf-16"])
@pytest.mark.parametrize("order", ["le", "be"])
def test_19_utf_16_without_its_mark_is_refused(shop, order, declared):
    shop.contract["encoding"] = declared
    assert shop.take(GOOD.encode(f"utf-16-{order}")).status == "refused"
    assert shop.rows() == []


@pytest.mark.parametrize("empty", ["", HEAD], ids=["no_byte", "header_only"])
@pytest.mark.parametrize("name", ["b.csv", "b.csv.gz"])
def test_22_nothing_after_something_keeps_what_there_is(shop, empty, name):
    shop.take(GOOD)
    content = empty.encode()
    shop.deliver(gzip.compress(content) if name.endswith(".gz") else content, name)
    report = shop.ingest()
    assert [(one.status, one.records_counted) for one in report.results] == [("landed", 0)]
    assert any(f"{name}: it holds no records" in warning for warning in report.warnings)
    assert shop.rows() == LANDED


def test_22_the_shop_which_delivers_daily_says_when_it_is_late():
    # Online Retail II is a closed file and never late.
    path = PROJECT / "models" / "staging" / "shop" / "_shop__sources.yml"
    (source,) = yaml.safe_load(path.read_text(encoding="utf-8"))["sources"]
    assert source["config"]["freshness"]["warn_after"]["count"] > 0
    assert source["config"]["loaded_at_field"] == "_delivered_at"


def test_26_a_type_that_changes_costs_only_what_no_longer_fits(shop):
    shop.columns[2]["data_type"] = "bigint"
    shop.take(HEAD + "1,Ann,1\n2,Bob,2\n")
    result = shop.take(HEAD + "X4,Cid,4\n5,Dan,X5\n", "b.csv")
    assert (result.status, result.rows_landed, result.rows_quarantined) == ("landed", 1, 1)
    assert shop.rows("order_id, amount") == [("1", 1), ("X4", 4), ("2", 2)]
    ((line, column, reason, text),) = shop.quarantine()
    assert (line, column, text) == (3, "amount", "5,Dan,X5")
    assert reason == "amount: not a whole number within bigint"


def test_26_a_whole_column_of_another_type_refuses_the_file(shop):
    shop.contract |= {"maximum_quarantined_share": 0.01, "minimum_quarantined_rows": 0}
    result = shop.take(HEAD + "1,Ann,one\n2,Bob,two\n")
    assert result.status == "refused"
    assert "line 2: amount: not a number with a decimal point" in result.note
    assert shop.rows() == []


@pytest.mark.parametrize("header", ["order_id,name,amount,memo,memo", "order_id,name, name,amount"])
def test_27_a_name_that_occurs_twice_refuses_the_file(shop, header):
    result = shop.take(f"{header}\n1,Ann,1,2,3\n")
    assert result.status == "refused"
    assert "more than once" in result.note
    assert shop.rows() == []


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz"])
def test_59_a_file_delivered_by_halves_is_whole_in_the_end(shop, name):
    # A sender who neither renames nor writes at a stretch: half a file looks like a file.
    content = GOOD.encode() if name == "a.csv" else gzip.compress(GOOD.encode())
    half = content.index(b"b,2") if name == "a.csv" else len(content) // 2
    first = shop.take(content[:half], name)
    if name == "a.csv":
        assert (first.status, first.rows_landed, first.rows_quarantined) == ("landed", 1, 1)
        assert [text for *_, text in shop.quarantine()] == ["2,Bo"]
    else:
        assert (first.status, "cut short" in first.note) == ("refused", True)
    second = shop.take(content, name)
    assert (second.status, second.rows_landed, second.rows_quarantined) == ("landed", 2, 0)
    assert (
        shop.query(
            "select order_id, name, amount::varchar from raw.shop__orders where _delivery_id = 2 "
            "order by _row_number"
        )
        == LANDED
    )


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "gb18030"])
@pytest.mark.parametrize("value", ['"A\0n"', "A\0n", "\0"], ids=["quoted", "plain", "alone"])
def test_61_a_nul_in_a_csv_is_quarantined(shop, encoding, value):
    shop.contract["encoding"] = encoding
    result = shop.take(GOOD.replace("Ann", value).encode(encoding))
    assert (result.status, result.rows_landed, result.rows_quarantined) == ("landed", 1, 1)
    assert shop.rows() == [LANDED[1]]
    ((line, _, reason, text),) = shop.quarantine()
    assert (line, reason) == (2, "the record contains a NUL character")
    assert text == f"1,{value},1.5".replace("\0", "\\x00")


def test_61_a_nul_in_parquet_is_quarantined(shop):
    sink = io.BytesIO()
    ids = pa.array(["1", "2", "3\0", "4"])
    names = pa.array(["A\0n", "Bob", "Cid", "\0"])
    pq.write_table(pa.table({"order_id": ids, "name": names, "amount": ["1", "2", "3", "4"]}), sink)
    result = shop.take(sink.getvalue(), "a.parquet")
    assert (result.status, result.rows_landed, result.rows_quarantined) == ("landed", 1, 3)
    assert shop.rows("order_id, name") == [("2", "Bob")]
    found = shop.quarantine()
    assert [(line, column, reason) for line, column, reason, _ in found] == [
        (1, "name", "name: a NUL character in the text"),
        (3, "order_id", "order_id: a NUL character in the text"),
        (4, "name", "name: a NUL character in the text"),
    ]
    assert json.loads(found[0][3])["name"] == "A\0n"
    assert "\0" not in found[0][3]
