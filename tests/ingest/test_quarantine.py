"""Records counted = landed + quarantined, with line and text; beyond the tolerance: refused."""

import pytest

HEAD = "order_id,name,amount\n"
FIVE = "".join(f"{i},n{i},{i}\n" for i in range(1, 6))


@pytest.mark.parametrize(
    ("bad", "column", "reason"),
    [
        ("6,n6,6,extra", None, "too many columns: 4 where the header has 3"),
        ("6,n6", None, "missing columns: 2 where the header has 3"),
        ("6,n6,six", "amount", "amount: not a number with a decimal point"),
        (",n6,6", "order_id", "order_id: required and empty"),
        ("6,n\0,6", None, "the record contains a NUL character"),
        ("   ", None, "missing columns: 1 where the header has 3"),
    ],
    ids=["extra", "short", "untyped", "required", "nul", "blank"],
)
def test_one_bad_record_among_good_ones(shop, bad, column, reason):
    lines = FIVE.splitlines(keepends=True)
    result = shop.take(HEAD + "".join(lines[:3]) + bad + "\n" + "".join(lines[3:]))
    counts = (result.status, result.records_counted, result.rows_landed, result.rows_quarantined)
    assert counts == ("landed", 6, 5, 1)
    ((line, wrong, why, text),) = shop.quarantine()
    assert (line, wrong, text) == (5, column, bad.replace("\0", "\\x00"))
    assert why.startswith(reason)
    # the ordinals of the good records leave the bad one out
    assert shop.rows("order_id, _row_number") == [
        *(("1", 1), ("2", 2), ("3", 3)),
        *(("4", 5), ("5", 6)),
    ]


def test_lines_are_physical_even_after_embedded_newlines(shop):
    content = HEAD + '1,"a\r\nb\n\nc",1\r\n\r\n2,"x\ny",oops\r\n3,c,3\r\n'
    result = shop.take(content)
    assert (result.records_counted, result.rows_landed, result.rows_quarantined) == (3, 2, 1)
    assert [(line, text) for line, _, _, text in shop.quarantine()] == [(7, '2,"x\ny",oops')]
    assert shop.rows("name") == [("a\r\nb\n\nc",), ("c",)]


def test_every_wrong_column_of_a_record_is_named_once(shop):
    shop.take(HEAD + FIVE + ",x,y\n")
    ((_, column, reason, _),) = shop.quarantine()
    assert column == "order_id"
    assert "order_id: required and empty; amount: not a number" in reason


def test_a_warning_tells_of_the_quarantine(shop):
    shop.deliver(HEAD + FIVE + "6,n,x\n")
    assert "shop/orders/a.csv: 1 of 6 records went to the quarantine." in shop.ingest().warnings


def test_a_huge_record_is_quarantined_and_its_text_cut(shop):
    result = shop.take(HEAD + FIVE + "6," + "x" * 2_100_000 + ",6\n")
    assert (result.rows_landed, result.rows_quarantined) == (5, 1)
    ((line, _, reason, text),) = shop.quarantine()
    assert (line, len(text)) == (7, 10_000)
    assert "longer than 2,000,000 characters" in reason


@pytest.mark.parametrize(("bad", "status"), [(3, "landed"), (4, "refused")])
def test_beyond_both_tolerances_the_file_is_refused(shop, bad, status):
    # 100 records: 2 % are two rows, but three rows are tolerated anyway
    shop.contract |= {"maximum_quarantined_share": 0.02, "minimum_quarantined_rows": 3}
    good = "".join(f"{i},n,1\n" for i in range(100 - bad))
    result = shop.take(HEAD + good + "x,n,secret\n" * bad)
    assert result.status == status
    assert len(shop.rows()) == (100 - bad if status == "landed" else 0)
    assert len(shop.quarantine()) == (bad if status == "landed" else 0)
    if status == "refused":
        assert "4 of 100 records cannot be taken, more than 2.00% and more than 3" in result.note
        assert "line 98: amount: not a number" in result.note
        assert "secret" not in result.note


def test_a_share_alone_is_tolerated_in_a_large_file(shop):
    shop.contract |= {"maximum_quarantined_share": 0.5, "minimum_quarantined_rows": 0}
    result = shop.take(HEAD + FIVE + "x,n,x\n" * 5)
    assert (result.status, result.rows_landed, result.rows_quarantined) == ("landed", 5, 5)


@pytest.mark.parametrize("text", ['"ok"x', '"ok" ', '"ok', '"a"b"c"'])
def test_a_misplaced_quote_is_never_guessed(shop, text):
    # T9: a guessing reader keeps the quotes as text
    result = shop.take(HEAD + f"1,{text},1\n2,n,2\n")
    assert result.status == "refused"
    assert "line 2 holds a quoted value that does not end there" in result.note
    assert shop.rows() == []


def test_a_count_that_differs_is_not_believed(shop, monkeypatch):
    # Were the engine to lose a row, the careful reading would stand in; were that to lose one too,
    # nothing would land.
    monkeypatch.setattr("orchestration.reading.csv_text.Scan.doubtful", True, raising=False)
    shop.load()
    from orchestration import csv_text

    split = csv_text.split

    def lossy(*arguments):
        parts = split(*arguments)
        return csv_text.Split(parts.records + 1, parts.broken)

    monkeypatch.setattr("orchestration.reading.csv_text.split", lossy)
    result = shop.take(HEAD + FIVE + "6,n,x\n")
    assert result.status == "refused"
    assert "do not add up: 7 records counted, 5 read whole and 1 set aside" in result.note
    assert shop.rows() == []
    assert shop.quarantine() == []


def test_a_scan_that_miscounts_hands_over_to_the_careful_reading(shop, monkeypatch):
    from orchestration.csv_text import Scan

    finish = Scan.finish

    def miscount(self):
        out = finish(self)
        self.records += 1
        return out

    monkeypatch.setattr(Scan, "finish", miscount)
    result = shop.take(HEAD + FIVE)
    assert (result.records_counted, result.rows_landed) == (5, 5)
