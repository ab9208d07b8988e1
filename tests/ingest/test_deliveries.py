"""Each delivery is taken once, whole or not at all, and the ledger says so."""

import datetime as dt
import os
import stat

import duckdb
import pytest

from orchestration import delivery, ledger
from orchestration.home import home
from orchestration.ingest import IngestError, _spool, _warehouse, ingest
from tests.shops import deliver, order

NOON = dt.datetime(2024, 5, 1, 12, 0)
GOOD = "order_id,name,amount\n1,Ann,1.5\n2,Bob,2\n"
BAD = "order,name,amount\n1,Ann,1.5\n"


def statuses(report):
    return [(one.file_name, one.status) for one in report.results]


def test_the_ledger_keeps_what_came_when(shop):
    shop.deliver(GOOD)
    local = dt.timezone(dt.timedelta(hours=8))
    shop.ingest(clock=lambda: dt.datetime(2024, 5, 1, 20, 0, tzinfo=local))
    ((sha, *row),) = shop.query("select sha256, * exclude (sha256) from raw.deliveries")
    assert row == [1, "shop", "orders", "a.csv", 39, 2, 2, 0, "landed", None, NOON]
    assert (
        sha == "cef8735df3f7ae0efe29c7d3a6125bd0e6e442ffff09d97e6874cb78db5abcd6"
    )  # sha256sum says so
    assert shop.rows("_delivery_id, _row_number, _delivered_at") == [(1, 1, NOON), (1, 2, NOON)]


def test_the_same_file_is_taken_once(shop):
    shop.take(GOOD)
    report = shop.ingest()
    assert (report.results, report.already_known) == ([], 1)
    assert len(shop.rows()) == 2


def test_the_same_bytes_under_another_name_are_a_duplicate_once(shop):
    shop.take(GOOD)
    result = shop.take(GOOD, "b.csv")
    assert (result.status, result.records_counted, result.rows_landed) == ("duplicate", 2, 0)
    assert "a.csv" in result.note
    report = shop.ingest()
    assert (report.results, report.already_known) == ([], 2)
    assert len(shop.rows()) == 2


def test_new_bytes_under_an_old_name_are_a_new_delivery(shop):
    shop.take(GOOD)
    assert shop.take(GOOD.replace("Ann", "Eve")).status == "landed"
    assert shop.rows("_delivery_id, name") == [(1, "Ann"), (2, "Eve"), (1, "Bob"), (2, "Bob")]


def test_a_refused_file_stays_in_the_ledger_once_and_is_told_by_every_run(shop):
    shop.deliver(BAD)
    first = shop.ingest()
    assert statuses(first) == [("a.csv", "refused")]
    told, required = first.warnings
    assert told.startswith("shop/orders/a.csv: refused: the header lacks the required 'order_id'")
    assert told == f"shop/orders/a.csv: refused: {first.results[0].note}."
    for _ in range(2):
        report = shop.ingest()
        assert report.results == []
        assert report.warnings == [told.replace(": refused", ": still refused"), required]
    assert shop.path("a.csv").read_text() == BAD
    assert shop.query("select count(*) from raw.deliveries") == [(1,)]


def test_another_reason_of_a_refusal_is_another_row(shop):
    shop.take(BAD)
    shop.columns[0]["config"]["meta"]["header"] = "number"
    report = shop.ingest()
    assert statuses(report) == [("a.csv", "refused")]
    assert report.warnings[0].startswith(
        "shop/orders/a.csv: still refused: the header lacks the required 'number'"
    )


def test_every_refused_file_is_told_with_its_own_reason(shop):
    shop.deliver(BAD, "1.csv")
    shop.deliver(GOOD, "2.csv.gz")
    shop.deliver(b"PAR1", "3.parquet")
    shop.deliver(BAD, "4.csv")
    for word in ("refused", "still refused"):
        warnings = shop.ingest().warnings
        for name, reason in (
            *(("1.csv", "the header lacks"), ("2.csv.gz", "the gzip compression is damaged")),
            *(("3.parquet", "it is not a readable Parquet file"), ("4.csv", "the header lacks")),
        ):
            start = f"shop/orders/{name}: {word}: {reason}"
            assert [one.startswith(start) for one in warnings].count(True) == 1


def test_a_refused_file_lands_once_the_contract_is_mended(shop):
    shop.take(BAD)
    shop.columns[0]["config"]["meta"]["header"] = "order"
    report = shop.ingest()
    assert [(one.delivery_id, one.status) for one in report.results] == [(2, "landed")]
    assert shop.ingest().already_known == 1


def test_a_refused_file_does_not_stop_the_others(shop):
    shop.deliver(BAD, "1.csv")
    shop.deliver(GOOD, "2.csv")
    assert statuses(shop.ingest()) == [("1.csv", "refused"), ("2.csv", "landed")]


def test_files_are_taken_in_the_order_of_their_names(shop):
    for name in ("b.csv", "c.csv", "a.csv"):
        shop.deliver(GOOD.replace("Ann", name), name)
    report = shop.ingest()
    assert [(one.delivery_id, one.file_name) for one in report.results] == [
        *((1, "a.csv"), (2, "b.csv"), (3, "c.csv")),
    ]


def test_a_hostile_file_name_is_only_a_name(shop):
    name = "x'; drop table raw.deliveries; --.csv"
    assert shop.take(GOOD, name).status == "landed"
    shop.take(GOOD.replace("2\n", "two\n"), name)
    assert shop.query("select file_name, rows_landed from raw.deliveries order by all") == [
        *((name, 1), (name, 2)),
    ]
    assert shop.query("select file_name from raw.quarantine") == [(name,)]


@pytest.mark.parametrize("name", ["a\nb.csv", "a\x1b]0;owned\x07.csv", "a\x7f.csv", "a\r.csv"])
def test_a_file_name_with_control_characters_is_not_taken(shop, name):
    shop.deliver(GOOD, name)
    report = shop.ingest()
    assert report.results == []
    (told,) = [one for one in report.warnings if "control characters" in one]
    assert told.startswith("shop/orders/a\ufffd")
    assert told.isprintable()


def test_unfinished_hidden_and_foreign_files_are_left_alone(shop):
    for name in (".a.csv", "a.csv.tmp", "b.csv.part", "notes.txt"):
        shop.deliver(GOOD, name)
    (shop.home.landing / "shop" / "ordres").mkdir()
    (shop.home.landing / "bank").mkdir()
    (shop.home.landing / "stray.csv").write_text(GOOD)
    report = shop.ingest()
    assert report.results == []
    warnings = "\n".join(report.warnings)
    assert "shop/orders/notes.txt: only .csv, .csv.gz, .parquet are read" in warnings
    assert "shop/ordres: unknown feed. Known are orders." in warnings
    assert "bank: unknown source. Known are shop." in warnings
    assert "stray.csv: files belong into landing/<source>/<feed>/" in warnings
    assert "tmp" not in warnings
    assert "shop/orders: required, and nothing has been landed yet." in warnings


def test_only_of_sources_in_use_a_required_feed_is_missed(tmp_path):
    place = home(tmp_path).prepare()
    lines = place.landing / "online_retail" / "invoice_lines"
    lines.mkdir(parents=True)
    (lines / "a.csv").write_text(
        "Invoice,StockCode,Description,Quantity,InvoiceDate,Price,Customer ID,Country\n"
        "1,A,Mug,2,2011-03-05 12:00:00,1.50,17,France\n"
    )
    assert ingest(place).warnings == []
    deliver(place.landing, "orders", [order("o1", "c1", "2011-03-05")])
    missed = "shop/order_lines: required, and nothing has been landed yet."
    assert ingest(place).warnings == [missed]


def test_links_are_not_followed(shop, tmp_path):
    secret = tmp_path / "secret.csv"
    secret.write_text(GOOD)
    shop.path("link.csv").symlink_to(secret)
    folder = tmp_path / "elsewhere"
    (folder / "orders").mkdir(parents=True)
    (folder / "orders" / "a.csv").write_text(GOOD)
    (shop.home.landing / "linked").symlink_to(folder)
    report = shop.ingest()
    assert report.results == []
    assert any("link.csv: a link is not followed" in one for one in report.warnings)
    assert any("linked: a link is not followed" in one for one in report.warnings)


def test_a_link_put_in_place_after_the_listing_is_not_followed(shop, tmp_path, monkeypatch):
    path = shop.deliver(GOOD)
    find = delivery.find

    def swap(*arguments):
        found = find(*arguments)
        path.rename(tmp_path / "moved.csv")
        path.symlink_to(tmp_path / "moved.csv")
        return found

    monkeypatch.setattr(delivery, "find", swap)
    report = shop.ingest()
    assert report.results == []
    assert any("a.csv: not taken: it cannot be opened" in one for one in report.warnings)


def test_the_engine_reads_the_spool_and_nothing_else(shop, tmp_path):
    """Whatever a file talks it into; the paths are tried that lead out of the spool."""
    secret = tmp_path / "secret.csv"
    secret.write_text(GOOD)
    spool = shop.home.prepare().warehouse / "spool"
    with _spool(spool), _warehouse(shop.home.build_file, spool) as connection:
        inside = spool / "delivery.csv"
        inside.write_text(GOOD)
        assert connection.execute("from read_csv($path)", {"path": str(inside)}).fetchall()
        for path in (
            secret,
            "/etc/passwd",
            f"{spool}/../../../secret.csv",
            f"{spool}/./../build.duckdb",
            f"{spool}2/secret.csv",
            f"file://{secret}",
            f"{spool}/../../**/*.csv",
        ):
            with pytest.raises(duckdb.Error):
                connection.execute("from read_text($path)", {"path": str(path)}).fetchall()
        for statement in (
            f"copy (select 1) to '{tmp_path / 'out.csv'}'",
            f"attach '{tmp_path / 'other.duckdb'}'",
            "set enable_external_access = true",
            "set allowed_directories = ['/']",
            "install httpfs",
        ):
            with pytest.raises(duckdb.Error):
                connection.execute(statement)
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == ["secret.csv"]


def test_a_pipe_does_not_hang_the_run(shop):
    os.mkfifo(shop.path("a.csv"))
    report = shop.ingest()
    assert any("a.csv: not a file" in one for one in report.warnings)


@pytest.mark.parametrize("change", ["grow", "touch", "replace", "remove"])
def test_a_file_that_changes_while_it_is_read_waits(shop, monkeypatch, change):
    path = shop.deliver(GOOD)
    finish = delivery.Reader.finish

    def meddle(self):
        if change == "grow":
            path.write_text(GOOD + "3,Eve,3\n")
        elif change == "touch":
            os.utime(path, ns=(1, 1))
        elif change == "replace":
            other = path.with_name("a.tmp")
            other.write_text(GOOD)
            other.replace(path)
        else:
            path.unlink()
        return finish(self)

    with monkeypatch.context() as patch:
        patch.setattr(delivery.Reader, "finish", meddle)
        report = shop.ingest()
    assert (report.results, report.waiting) == ([], ["shop/orders/a.csv"])
    assert shop.rows() == []
    if change != "remove":
        assert statuses(shop.ingest()) == [("a.csv", "landed")]


@pytest.mark.parametrize("content", [GOOD, GOOD + "3,Eve,x\n"], ids=["fast", "careful"])
def test_a_death_before_the_commit_leaves_nothing(shop, monkeypatch, content):
    shop.deliver(content)

    def die(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(ledger, "write", die)
        shop.ingest()
    assert shop.rows() == []
    assert shop.quarantine() == []
    assert shop.query("select count(*) from raw.deliveries") == [(0,)]
    assert not (shop.home.warehouse / "spool").exists()
    assert shop.ingest().results[0].rows_landed == 2


def test_leftovers_of_a_killed_run_are_cleared_and_copies_are_private(shop, monkeypatch):
    spool = shop.home.warehouse / "spool"
    spool.mkdir(parents=True)
    (spool / "delivery.csv").write_text("left over")
    modes = []
    finish = delivery.Reader.finish

    def look(self):
        modes.append(stat.S_IMODE((spool / "delivery.csv").stat().st_mode))
        return finish(self)

    monkeypatch.setattr(delivery.Reader, "finish", look)
    assert shop.take(GOOD).status == "landed"
    assert modes == [0o600]
    assert not spool.exists()
    assert stat.S_IMODE(shop.home.build_file.stat().st_mode) == 0o600


def test_every_raw_table_exists_without_deliveries(shop):
    shop.home.landing.mkdir(parents=True)
    ingest(shop.home)
    tables = {name for (name,) in shop.query("select table_name from duckdb_tables()")}
    assert {"deliveries", "quarantine", "shop__orders", "shop__customer_links"} <= tables
    assert "online_retail__invoice_lines" in tables
    types = shop.query(
        "select column_name, data_type from duckdb_columns() where table_name = 'shop__refunds' "
        "and column_name in ('amount', 'line_number', 'refunded_at', '_row_number')"
    )
    assert dict(types) == {
        "amount": "DECIMAL(18,6)",
        "line_number": "BIGINT",
        "refunded_at": "TIMESTAMP",
        "_row_number": "BIGINT",
    }


def test_a_contract_may_gain_a_column(shop):
    shop.take(GOOD)
    shop.columns.append({"name": "city", "data_type": "string"})
    shop.take("order_id,name,amount,city\n3,Eve,3,Oslo\n", "b.csv")
    assert shop.query("select order_id, city from raw.shop__orders order by 1") == [
        *(("1", None), ("2", None), ("3", "Oslo")),
    ]


def test_a_contract_may_not_change_a_type(shop):
    shop.take(GOOD)
    shop.columns[2]["data_type"] = "double"
    with pytest.raises(IngestError, match=r"amount is decimal\(18,6\) in the warehouse and double"):
        shop.ingest()


def test_the_sources_asked_for_must_exist(shop):
    shop.deliver(GOOD)
    with pytest.raises(IngestError, match=r"Unknown source bank\. Known are shop"):
        ingest(shop.home, sources=["bank"], contracts=shop.load())
    assert ingest(shop.home, sources=[], contracts=shop.load()).results == []


def test_a_missing_landing_folder_is_named(shop, tmp_path):
    with pytest.raises(IngestError, match="nowhere is missing"):
        ingest(shop.home, landing=tmp_path / "nowhere", contracts=shop.load())


def test_another_landing_folder_and_progress(shop, tmp_path):
    folder = tmp_path / "other" / "shop" / "orders"
    folder.mkdir(parents=True)
    (folder / "a.csv").write_text(GOOD)
    told = []
    report = ingest(
        shop.home, landing=tmp_path / "other", contracts=shop.load(), progress=told.append
    )
    assert statuses(report) == [("a.csv", "landed")]
    assert told == ["reading shop/orders/a.csv"]


def test_a_busy_build_file_is_told(shop):
    shop.take(GOOD)
    with duckdb.connect(str(shop.home.build_file)), pytest.raises(IngestError, match="opened"):
        shop.ingest()


def test_a_home_with_odd_characters_in_its_path(shop_in):
    shop = shop_in("it's [odd]")
    assert shop.take(GOOD).rows_landed == 2
    assert shop.take(GOOD + "3,Eve,x\n", "b.csv").rows_quarantined == 1
