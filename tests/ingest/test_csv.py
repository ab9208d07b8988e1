"""A CSV lands as it was written, whatever its line ends, quotes, encoding and column order."""

import gzip

import pytest

GOOD = "order_id,name,amount\n1,Ann,1.5\n2,Bob,2\n"
LANDED = [("1", "Ann", "1.500000"), ("2", "Bob", "2.000000")]


@pytest.mark.parametrize(
    "content",
    [
        GOOD,
        GOOD.rstrip("\n"),
        "\ufeff" + GOOD,
        GOOD.replace("\n", "\r\n"),
        GOOD.replace("\n", "\r"),
        "order_id,name,amount\r\n1,Ann,1.5\n2,Bob,2\r",
        "\n" + GOOD.replace("\n", "\n\n"),
        '"order_id","name","amount"\n"1","Ann","1.5"\n"2","Bob","2"\n',
        '\ufeff"order_id",name,amount\r\n1,Ann,1.5,\r\n2,Bob, 2 \r\n',
    ],
    ids=["plain", "unended", "bom", "crlf", "cr", "mixed", "blank_lines", "quoted", "all"],
)
def test_the_same_table_in_many_forms(shop, content):
    result = shop.take(content)
    assert (result.status, result.records_counted, result.rows_landed) == ("landed", 2, 2)
    assert shop.rows() == LANDED


@pytest.mark.parametrize("text", ["a\nb", "a\r\nb", "a\rb", 'say ""hi""', "x,y", "a \tb", '""'])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_quoted_text_is_kept_to_the_byte(shop, text, end):
    content = f'order_id,name,amount{end}1,"{text}",1{end}2,Bob,2{end}'
    assert shop.take(content).rows_landed == 2
    assert shop.rows("name") == [(text.replace('""', '"'),), ("Bob",)]


def test_a_quote_within_a_plain_value_is_a_character(shop):
    assert shop.take('order_id,name,amount\n1,5" pipe,1\n2, "q",2\n').rows_landed == 2
    assert shop.rows("name") == [('5" pipe',), ('"q"',)]


def test_columns_bind_by_name(shop):
    shop.take("amount,order_id,name\n1.5,1,Ann\n2,2,Bob\n")
    assert shop.rows() == LANDED


def test_a_contract_may_name_the_header_and_the_dialect(shop):
    shop.contract |= {"delimiter": ";", "quote": "'", "decimal_separator": ","}
    shop.columns[1]["config"] = {"meta": {"header": "Customer Name"}}
    shop.take("Customer Name;amount;order_id\n'O''Neil; x';1,5;7\n")
    assert shop.rows() == [("7", "O'Neil; x", "1.500000")]


def test_empty_and_declared_null_values_become_null(shop):
    shop.contract["null_values"] = ["NULL ", "-"]
    shop.take('order_id,name,amount\n1, NULL ,-\n2,"",\n3,null,0\n')
    assert shop.rows() == [
        ("1", None, None),
        ("2", None, None),
        ("3", "null", "0.000000"),
    ]


def test_undeclared_null_words_are_text(shop):
    shop.take("order_id,name,amount\n1,NULL,1\n2,N/A,1\n")
    assert shop.rows("name") == [("NULL",), ("N/A",)]


def test_leading_zeros_and_inner_blanks_of_a_text_are_kept(shop):
    shop.take("order_id,name,amount\n007,Ann  Lee,1\n")
    assert shop.rows() == [("007", "Ann  Lee", "1.000000")]


AROUND = [" J", "J ", "  J  ", "\tJ", "J\t", "J\r\n", "\n J \v\f"]
BLANK = ["", " ", "\t", "\r\n", " \n\v\f "]


@pytest.mark.parametrize("bad", ["", "9,x,bad\n"], ids=["fast", "careful"])
def test_whitespace_around_a_text_is_not_taken(shop, bad):
    lines = [f'"{text}","{text}",1\n' for text in AROUND]
    assert shop.take("order_id,name,amount\n" + "".join(lines) + bad).rows_landed == len(AROUND)
    assert shop.rows("order_id, name") == [("J", "J")] * len(AROUND)


def test_a_text_of_whitespace_is_null_and_where_required_quarantined(shop):
    names = "".join(f'{place},"{text}",1\n' for place, text in enumerate(BLANK))
    ids = "".join(f'"{text}",n,1\n' for text in BLANK)
    result = shop.take("order_id,name,amount\n" + names + ids)
    assert (result.rows_landed, result.rows_quarantined) == (len(BLANK), len(BLANK))
    assert shop.rows("name") == [(None,)] * len(BLANK)
    assert {(column, reason) for _, column, reason, _ in shop.quarantine()} == {
        ("order_id", "order_id: required and empty")
    }


def test_only_ascii_whitespace_is_stripped(shop):
    shop.take("order_id,name,amount\n1,\u3000张\u00a0,1\n2,张 ,1\n")
    assert shop.rows("name") == [("\u3000张\u00a0",), ("张",)]


@pytest.mark.parametrize(
    ("declared", "written"),
    [("gb18030", "gbk"), ("cp1252", "cp1252"), ("utf-16", "utf-16"), ("utf-8", "utf-8")],
)
def test_a_declared_encoding_is_decoded(shop, declared, written):
    name = "café €" if declared == "cp1252" else "张三"
    shop.contract["encoding"] = declared
    shop.take(GOOD.replace("Ann", name).encode(written))
    assert shop.rows("name") == [(name,), ("Bob",)]


def test_an_undeclared_encoding_is_refused_with_the_byte_and_the_remedy(shop):
    content = GOOD.replace("Bob", "张三").encode("gbk")
    result = shop.take(content)
    assert (result.status, result.rows_landed) == ("refused", 0)
    offset = len("order_id,name,amount\n1,Ann,1.5\n2,")
    assert f"byte {offset} (line 3)" in result.note
    assert "decode as gb18030" in result.note
    assert shop.rows() == []


def test_utf_16_taken_for_utf_8_is_refused_and_recognised(shop):
    assert "decode as utf-16" in shop.take(GOOD.encode("utf-16")).note


@pytest.mark.parametrize("cut", [1, 2, 3, 7])
def test_a_character_cut_by_a_chunk_is_whole(shop, monkeypatch, cut):
    monkeypatch.setattr("orchestration.delivery.CHUNK", cut)
    content = '\ufefforder_id,name,amount\r\n1,"张\r\n""三""",1.5\r\n2,Bob,2\r\n'
    assert shop.take(content).rows_landed == 2
    assert shop.rows("name") == [('张\r\n"三"',), ("Bob",)]


def test_gzip_of_one_and_of_two_members(shop):
    shop.deliver(gzip.compress(GOOD.encode()), "a.csv.gz")
    half = len("order_id,name,amount\n1,Ann,")
    members = gzip.compress(GOOD[:half].encode()) + gzip.compress(GOOD[half:].encode())
    shop.deliver(members + b"\0" * 9, "b.csv.gz")
    report = shop.ingest()
    assert [(one.status, one.rows_landed) for one in report.results] == [("landed", 2)] * 2
    assert shop.rows("distinct order_id, name, _row_number") == [("1", "Ann", 1), ("2", "Bob", 2)]


@pytest.mark.parametrize("damage", ["cut", "flipped", "plain"])
def test_damaged_gzip_is_refused(shop, damage):
    packed = gzip.compress(GOOD.encode() * 50)
    content = {
        "cut": packed[:-12],
        "flipped": packed[:40] + bytes([packed[40] ^ 255]) + packed[41:],
        "plain": GOOD.encode(),
    }[damage]
    result = shop.take(content, "a.csv.gz")
    assert result.status == "refused"
    assert "gzip" in result.note
    assert shop.rows() == []


@pytest.mark.parametrize(
    ("header", "words"),
    [
        (
            "order,name,amount",
            [
                "lacks the required 'order_id'",
                "found 'order', 'name'",
                "as `header` in the contract",
            ],
        ),
        ("order_id,full_name,amount", ["lacks 'name'", "unknown 'full_name', as if renamed"]),
        ("order_id,name,name", ["names 'name' more than once"]),
        ("1,Ann,1.5", ["lacks the required 'order_id'", "found 3 values", "is there a header?"]),
        ("Ann,Ann,1.5", ["names a value (is there a header?) more than once"]),
        (
            "ORDER_ID,name,amount",
            [
                "lacks the required 'order_id'",
                "'ORDER_ID' differs from 'order_id' only in letter case",
            ],
        ),
        ("order_id,Name,amount", ["as if renamed", "'Name' differs from 'name' only in letter"]),
    ],
    ids=[
        "required",
        "renamed",
        "duplicate",
        "no_header",
        "no_header_twice",
        "case",
        "optional_case",
    ],
)
def test_a_wrong_header_refuses_the_file(shop, header, words):
    result = shop.take(f"{header}\n1,Ann,1.5\n")
    assert (result.status, result.rows_landed) == ("refused", 0)
    for word in words:
        assert word in result.note
    assert shop.rows() == []


@pytest.mark.parametrize(
    "record",
    [
        "1,Ann,1.5",
        "Ann,Ann,1.5",
        "Ann",
        "Ann;1;2",
        "name,Ann,1.5",
        "1,name,Ann",
        '"Ann","x, Ann","order_id","2"',
    ],
)
def test_a_file_without_a_header_is_refused_without_its_values(shop, record):
    result = shop.take(f"{record}\n2,Bob,2.5\n")
    assert result.status == "refused"
    assert "Ann" not in result.note
    assert "is there a header?" in result.note


@pytest.mark.parametrize("quoted", [False, True], ids=["plain", "quoted"])
@pytest.mark.parametrize(
    ("declared", "written"), [(",", ";"), (",", "\t"), (",", "|"), (";", ","), ("|", ";")]
)
def test_a_likely_delimiter_is_named(shop, declared, written, quoted):
    shop.contract["delimiter"] = declared
    content = GOOD
    if quoted:
        content = '"order_id","name","amount"\n"1","Ann","1.5"\n'
    note = shop.take(content.replace(",", written)).note
    assert note.endswith(f". The delimiter seems to be {written!r}: declare it in the contract")


@pytest.mark.parametrize("header", ["order", "order,a;b", '"order,x"', '"order"x,name,a;b'])
def test_no_delimiter_is_guessed_where_none_is_likely(shop, header):
    result = shop.take(f"{header}\n1,2\n")
    assert result.status == "refused"
    assert "delimiter seems" not in result.note
    assert "differs" not in result.note


def test_a_missing_optional_column_is_null(shop):
    result = shop.take("order_id,amount\n1,1.5\n")
    assert result.status == "landed"
    assert "not delivered: 'name'" in result.note
    assert shop.rows() == [("1", None, "1.500000")]


def test_a_new_column_is_noted_and_not_taken(shop):
    result = shop.take("order_id,name,shoe size'; drop,amount\n1,Ann,42,1.5\n")
    assert result.status == "landed"
    assert "new columns, not taken" in result.note
    assert "shoe size" in result.note
    assert shop.rows() == [("1", "Ann", "1.500000")]


def test_an_ignored_column_may_stand_beside_a_missing_one(shop):
    shop.meta["ignored_columns"] = ["memo"]
    assert shop.take("order_id,amount,memo\n1,1.5,x\n").status == "landed"


@pytest.mark.parametrize(
    ("content", "note"), [(b"", "empty file"), (b"order_id,name,amount\n", "no records")]
)
def test_nothing_delivered_is_a_warning(shop, content, note):
    shop.deliver(content)
    report = shop.ingest()
    (result,) = report.results
    assert (result.status, result.records_counted, result.note) == ("landed", 0, note)
    assert any("a.csv: it holds no records" in warning for warning in report.warnings)
    assert shop.ingest().already_known == 1


def test_a_feed_of_one_column_skips_blank_lines(shop):
    shop.columns = shop.columns[:1]
    result = shop.take("order_id\n1\n\n2\n\n")
    assert (result.records_counted, result.rows_landed, result.rows_quarantined) == (2, 2, 0)
    assert shop.rows("order_id, _row_number") == [("1", 1), ("2", 2)]
