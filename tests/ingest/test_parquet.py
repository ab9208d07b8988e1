"""Parquet lands under the same rules: by name, exactly, every row accounted for."""

import datetime as dt
import io
import json
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

INSTANT = dt.datetime(2024, 3, 10, 2, 30)


def parquet(columns: dict, **options) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.table(columns), sink, **options)
    return sink.getvalue()


def test_columns_bind_by_name_and_text_follows_the_text_rules(shop):
    shop.contract["null_values"] = ["NULL"]
    content = parquet({"amount": ["1.5", "2", ""], "name": ["NULL", "", "Al"], "order_id": "123"})
    result = shop.take(content, "a.parquet")
    assert (result.status, result.records_counted, result.rows_landed) == ("landed", 3, 3)
    assert shop.rows() == [
        *(("1", None, "1.500000"), ("2", None, "2.000000"), ("3", "Al", None)),
    ]
    assert shop.rows("_row_number, _delivery_id") == [(1, 1), (2, 1), (3, 1)]


def test_whitespace_around_a_text_is_not_taken_and_alone_it_is_null(shop):
    shop.contract["null_values"] = ["NULL"]
    texts = ["J", " J", "J\t", "J\r\n", "a  b ", " NULL", "", " ", "\t\n"]
    ids = [str(place) for place in range(len(texts))]
    shop.deliver(parquet({"order_id": ids, "name": texts, "amount": [1] * 9}), "a.parquet")
    blank = {"order_id": ["x ", " ", ""], "name": ["n"] * 3, "amount": [1] * 3}
    shop.deliver(parquet(blank), "b.parquet")
    first, second = shop.ingest().results
    assert (first.rows_landed, second.rows_landed, second.rows_quarantined) == (9, 1, 2)
    landed = shop.query("select name from raw.shop__orders where _delivery_id = 1 order by all")
    assert landed == [*[("J",)] * 4, ("a  b",), *[(None,)] * 4]
    assert [reason for _, _, reason, _ in shop.quarantine()] == ["order_id: required and empty"] * 2


@pytest.mark.parametrize(
    ("data_type", "values", "arrow", "taken"),
    [
        ("bigint", [5.0, 5.7, float("nan"), 1e30], pa.float64(), {0: 5}),
        ("int", [5, 2147483648], pa.int64(), {0: 5}),
        ("bigint", [Decimal("5.0"), Decimal("5.7")], pa.decimal128(9, 1), {0: 5}),
        (
            "decimal(18,6)",
            [5.7, float("nan"), float("inf"), 1e20, 0.1234567],
            pa.float64(),
            {0: Decimal("5.7"), 4: Decimal("0.123457")},
        ),
        (
            "decimal(18,6)",
            [Decimal("5.1234560"), Decimal("5.1234567")],
            pa.decimal128(12, 7),
            {0: Decimal("5.123456")},
        ),
        ("decimal(18,6)", [7, 10**12], pa.int64(), {0: Decimal("7")}),
        ("double", [0.5, float("inf")], pa.float64(), {0: 0.5}),
        ("boolean", [0, 1, 2], pa.int8(), {0: False, 1: True}),
        ("string", [13085.0, 1.5, 1e17], pa.float64(), {0: "13085"}),
        ("string", [13085], pa.int32(), {0: "13085"}),
        ("date", [dt.date(2024, 2, 29)], pa.date32(), {0: dt.date(2024, 2, 29)}),
        ("date", [dt.datetime(2024, 3, 1), INSTANT], pa.timestamp("us"), {0: dt.date(2024, 3, 1)}),
        ("timestamp", [INSTANT], pa.timestamp("us", "America/New_York"), {0: INSTANT}),
        ("timestamp", ["2024-03-10", "10.3."], pa.string(), {0: dt.datetime(2024, 3, 9, 16, 0)}),
        # without a zone it is the contract's: 02:30 in Shanghai
        ("timestamp", [INSTANT], pa.timestamp("ms"), {0: dt.datetime(2024, 3, 9, 18, 30)}),
        ("timestamp", [INSTANT], pa.timestamp("ns"), {0: dt.datetime(2024, 3, 9, 18, 30)}),
    ],
)
def test_a_typed_value_survives_exactly_or_is_quarantined(shop, data_type, values, arrow, taken):
    shop.contract["timezone"] = "Asia/Shanghai"
    shop.typed(data_type)
    ids = [str(place) for place in range(len(values))]
    content = parquet({"order_id": ids, "value": pa.array(values, arrow)})
    result = shop.take(content, "a.parquet")
    assert (result.status, result.records_counted) == ("landed", len(values))
    assert dict(shop.query("select order_id::int, value from raw.shop__orders")) == taken
    wrong = sorted(set(range(len(values))) - set(taken))
    found = shop.quarantine()
    assert [line for line, *_ in found] == [place + 1 for place in wrong]
    assert [json.loads(text)["order_id"] for *_, text in found] == [str(place) for place in wrong]


def test_nulls_stay_null_and_a_required_one_is_quarantined(shop):
    content = parquet(
        {"order_id": ["1", None], "name": pa.array([None, "x"]), "amount": pa.array([None, 1.0])}
    )
    result = shop.take(content, "a.parquet")
    assert (result.rows_landed, result.rows_quarantined) == (1, 1)
    assert shop.rows() == [("1", None, None)]
    ((line, column, reason, text),) = shop.quarantine()
    assert (line, column, reason) == (2, "order_id", "order_id: required and empty")
    assert json.loads(text) == {"order_id": None, "name": "x", "amount": 1.0}


def test_many_row_groups_keep_their_ordinals(shop):
    ids = [str(place) for place in range(1, 5001)]
    amounts = [float(place) for place in range(1, 5001)]
    amounts[4321] = float("nan")
    table = {"order_id": ids, "name": ids, "amount": amounts}
    result = shop.take(parquet(table, row_group_size=700), "a.parquet")
    assert (result.rows_landed, result.rows_quarantined) == (4999, 1)
    assert shop.query("select count(*) from raw.shop__orders where order_id = _row_number") == [
        (4999,)
    ]
    assert [line for line, *_ in shop.quarantine()] == [4322]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"order": ["1"], "name": ["x"], "amount": [1]}, "lacks the required 'order_id'"),
        (
            {" Order_ID": ["1"], "name": ["x"], "amount": [1]},
            "' Order_ID' differs from 'order_id' only in letter case and surrounding blanks",
        ),
        (
            {"order_id ": ["1"], "name": ["x"], "amount": [1]},
            "'order_id ' differs from 'order_id' only in surrounding blanks",
        ),
        ({"order_id": ["1"], "nom": ["x"], "amount": [1]}, "as if renamed"),
        ({"order_id": ["1"], "name": ["x"], "NAME": ["y"], "amount": [1]}, "the same name"),
        (
            {"order_id": ["1"], "name": ["x"], "amount": [dt.date(2024, 1, 1)]},
            "'amount' is date in the file, which does not become decimal(18,6)",
        ),
        ({"order_id": ["1"], "name": [["x"]], "amount": [1]}, "'name' is varchar[] in the file"),
    ],
)
def test_a_file_of_other_columns_or_types_is_refused(shop, columns, message):
    result = shop.take(parquet(columns), "a.parquet")
    assert result.status == "refused"
    assert message in result.note
    assert shop.rows() == []


def test_damage_and_emptiness(shop):
    whole = parquet({"order_id": ["1"], "name": ["x"], "amount": [1]})
    shop.deliver(whole[:-20], "1.parquet")
    shop.deliver(b"PAR1 no parquet", "2.parquet")
    shop.deliver(b"", "3.parquet")
    none = {"order_id": pa.array([], pa.string())}
    shop.deliver(parquet(none), "4.parquet")
    report = shop.ingest()
    assert [one.status for one in report.results] == ["refused", "refused", "landed", "landed"]
    assert "not a readable Parquet file" in report.results[0].note
    assert report.results[2].note == "empty file"
    assert "no records" in report.results[3].note


def test_a_new_column_with_a_hostile_name_is_only_a_name(shop):
    name = 'x"; drop table raw.deliveries; --'
    result = shop.take(
        parquet({"order_id": ["1"], "name": ["x"], "amount": [1], name: [1]}), "a.parquet"
    )
    assert (result.status, result.rows_landed) == ("landed", 1)
    assert "new columns, not taken" in result.note
