"""A hostile shop, run whole: nothing personal and no secret leaks, nobody is called, all is closed.

The home's path has quotes and SQL in it, the caller's umask hides nothing, the network is cut, and
every process notes whom it tries to reach.
"""

import datetime
import os
import re
import shutil
import stat
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

from orchestration.home import PROJECT, Home, home
from orchestration.readers import open_published
from tests.shops import copy_project, deliver, line, order

HOME = "it's \"home\"' drop schema raw --"
DAY = "2026-03-05"
BORN = "1931-02-27"
# Each is found nowhere but in what was delivered.
PERSONAL = {
    "name": "Canaria Nameson",
    "email": "canary.mail@example.org",
    "phone": "+49 1555 0199887",
}
PERSONS = {
    "quarantined": "Canaria Quarantine",
    "refused": "Canaria Refused",
    "headless": "Canaria Headless",
    "rejected": "canary-note-of-a-rejected-order",
    "cast": "canary.cast@example.org",
}
# Those that the project reads, those that dbt knows as secret, and one of anybody's.
SECRETS = {
    "SEGMENTS_WEBHOOK_URL": "https://127.0.0.1:9/canary-webhook-4711",
    "SEGMENTS_CONTACT_KEY": "canary-key-4712",
    "DBT_ENV_SECRET_KEY": "canary-dbt-4713",
    "AWS_SECRET_ACCESS_KEY": "canary-aws-4714",
}
CANARIES = [*PERSONAL.values(), BORN, *PERSONS.values(), *SECRETS.values()]
# Notes every attempt of Python code to reach another address than this machine's own files.
WATCH = """
import os, sys

def _watch(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.sendto"):
        with open(os.environ["CANARY_CALLS"], "a") as calls:
            print(event, repr(arguments[1:] if event != "socket.getaddrinfo" else arguments),
                  file=calls)

sys.addaudithook(_watch)
with open(os.environ["CANARY_CALLS"], "a") as calls:
    print("watching", " ".join(sys.orig_argv[:4]), file=calls)
"""
FAILING_CAST = """-- Grain: one row per customer.
select cast(email as integer) as number from {{ source('shop', 'customers') }}
"""
FAILING_PYTHON = """# Grain: one row per customer.
def model(dbt, session):
    dbt.config(materialized="table")
    emails = dbt.source("shop", "customers").fetchall()
    if emails:
        raise ValueError(f"cannot do with {emails}")
    return emails
"""
# Of a table that the models above do not read: what fails before them would skip them.
FAILING_TEST = """-- There is nobody.
select * from {{ ref('stg_shop__customers') }}
"""


@dataclass(frozen=True)
class Ran:
    """A home after a run that published and a run that failed, and what was seen of both."""

    place: Home
    printed: str
    failed: str
    calls: str
    cut: bool


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    folder = tmp_path_factory.mktemp("security")
    place = Home(folder / HOME)
    deliver_canaries(place.landing)
    (folder / "watch").mkdir()
    (folder / "watch" / "sitecustomize.py").write_text(WATCH)
    project = copy_project(folder / "project")
    cut = subprocess.run(["unshare", "-rn", "true"], check=False, capture_output=True)

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [str(project / "segments"), *arguments]
        return subprocess.run(
            ["unshare", "-rn", *command] if cut.returncode == 0 else command,
            env={
                **os.environ,
                **SECRETS,
                "SEGMENTS_HOME": str(place.root),
                "PYTHONPATH": str(folder / "watch"),
                "CANARY_CALLS": str(folder / "calls"),
                "COLUMNS": "200",
            },
            capture_output=True,
            text=True,
            check=False,
            umask=0,
        )

    done = run("run")
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    explained = run("explain", "shop:c1")
    (project / "models" / "intermediate" / "int_canary_cast.sql").write_text(FAILING_CAST)
    (project / "models" / "intermediate" / "int_canary_python.py").write_text(FAILING_PYTHON)
    (project / "tests" / "singular" / "canary_test.sql").write_text(FAILING_TEST)
    deliver_canaries(place.landing, "2")
    failed = run("run")
    assert failed.returncode == 1
    return Ran(
        place,
        printed=done.stdout + done.stderr + explained.stdout + explained.stderr,
        failed=failed.stdout + failed.stderr,
        calls=(folder / "calls").read_text(),
        cut=cut.returncode == 0,
    )


def deliver_canaries(landing: Path, name: str = "1") -> None:
    """Deliver persons in every way in which a record can go."""
    customers = [
        {"customer_id": f"c{number}", **PERSONAL, "birth_date": BORN} for number in range(5)
    ]
    customers[1]["email"] = PERSONS["cast"]
    customers.append({"customer_id": "c9", "name": PERSONS["quarantined"], "birth_date": "31.2.x"})
    header = ["customer_id", *PERSONAL, "birth_date"]
    filled = [{column: row.get(column, "") for column in header} for row in customers]
    deliver(landing, "customers", filled, name)
    refused = [{"customer": "c7", "email": PERSONS["refused"]}]
    deliver(landing, "customers", refused, f"refused_{name}")
    headless = landing / "shop" / "customers" / f"headless_{name}.csv"
    headless.write_text(f"c8,{PERSONS['headless']},{PERSONAL['email']}\nc8,x,{BORN}\n")
    orders = [order(f"o{name}{number}", f"c{number}", DAY, note="") for number in range(5)]
    orders.append(order(f"o{name}9", "c9", "1931-01-01", note=PERSONS["rejected"]))
    deliver(landing, "orders", orders, name)
    deliver(landing, "order_lines", [line(row["order_id"], "10.00") for row in orders], name)


def files(place: Home) -> Iterator[Path]:
    return (Path(path) / name for path, _, names in os.walk(place.root) for name in names)


def is_private(place: Home, path: Path) -> bool:
    """Whether a file is one of those that personal data may be in."""
    inside = path.relative_to(place.root)
    return (
        inside.parts[0] == "landing"
        or inside.parts[:2] == ("published", "restricted")
        or (inside.parts[0] == "warehouse" and inside.name.startswith("build.duckdb"))
    )


def test_personal_data_and_secrets_are_in_no_other_file(ran):
    searched = [path for path in files(ran.place) if not is_private(ran.place, path)]
    found = [
        f"{path.relative_to(ran.place.root)}: {canary}"
        for path in searched
        for canary in CANARIES
        if canary.encode() in path.read_bytes()
    ]
    assert found == []
    names = {path.name for path in searched}
    assert {"dbt.log", "console.log", "run_results.json", "manifest.json", "runs.db"} <= names
    assert any(path.suffix == ".db" and "runs" in path.parts for path in searched)


def test_secrets_are_not_in_private_files_either(ran):
    for path in files(ran.place):
        content = path.read_bytes()
        assert not [secret for secret in SECRETS.values() if secret.encode() in content], path


def test_the_canaries_are_where_they_belong(ran):
    """Else the tests above would search for what is nowhere."""
    with duckdb.connect(str(ran.place.build_file), read_only=True) as build:
        rows = build.execute("from raw.shop__customers where customer_id = 'c0'").fetchall()
        texts = build.execute("select raw_text from raw.quarantine").fetchall()
    assert set(PERSONAL.values()) <= {value for row in rows for value in row}
    assert datetime.date.fromisoformat(BORN) in rows[0]
    assert any(PERSONS["quarantined"] in text for (text,) in texts)


def test_published_tables_hold_no_personal_data(ran):
    """Value by value: within the files, text is compressed."""
    with open_published(ran.place) as published:
        columns = published.execute(
            "select database_name, table_name, column_name from duckdb_columns() "
            "where database_name in ('marts', 'history', 'facts')"
        ).fetchall()
        for database, table, column in columns:
            (hits,) = published.execute(
                f'select count(*) from {database}.main."{table}" where exists ('
                f"  select 1 from unnest($canaries) as canaries (canary)"
                f'  where contains(cast("{column}" as varchar), canary))',
                {"canaries": CANARIES},
            ).fetchone()
            assert not hits, f"{table}.{column}"
    assert len(columns) > 300


def test_nothing_personal_is_printed(ran):
    assert "c1" in ran.printed
    for canary in CANARIES:
        assert canary not in ran.printed
        assert canary not in ran.failed


def test_a_failing_cast_is_told_without_its_value(ran):
    assert "int_canary_cast" in ran.failed
    assert "Could not convert string (value left out) to INT32" in ran.failed
    assert "int_canary_python" in ran.failed
    assert "ValueError (the message is left out" in ran.failed


def test_a_refusal_is_told_without_data(ran):
    assert re.search(r"headless_1\.csv: refused: .*is there a header\?", ran.printed)
    assert re.search(r"refused_1\.csv: refused: .*lacks the required 'customer_id'", ran.printed)


def test_a_whole_run_needs_no_network(ran):
    if not ran.cut:
        pytest.skip("this machine lets nobody make a network namespace (unshare -rn)")
    assert "Published version 1" in ran.printed


def test_nobody_is_called(ran):
    """Of all Python processes of two runs, dbt and Dagster among them."""
    watched = [call for call in ran.calls.splitlines() if call.startswith("watching")]
    assert len(watched) >= 4
    assert any("dbt" in call for call in watched)
    others = [call for call in ran.calls.splitlines() if not call.startswith("watching")]
    local = re.compile(r"'(/[^']*|127\.0\.0\.1|::1|localhost)'|b?'\\x00")
    assert [call for call in others if not local.search(call)] == []


def test_what_is_private_is_for_its_owner_alone(ran):
    """Though the caller's umask was 0."""
    place = ran.place
    for folder in (place.warehouse, place.exports, place.logs):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        for path in folder.rglob("*"):
            mode = stat.S_IMODE(path.lstat().st_mode)
            assert path.is_symlink() or mode & 0o077 == 0, f"{path}: {mode:o}"


def test_what_is_published_is_for_its_group_to_read(ran):
    published = ran.place.published
    for path in (published, *published.rglob("*")):
        if not path.is_symlink():
            mode = stat.S_IMODE(path.stat().st_mode)
            assert mode == (0o750 if path.is_dir() else 0o440), f"{path}: {mode:o}"


# Homes


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("line\nend", "has a line end"),
        ("\x1b[31m", "has a line end, another control character"),
        ("x'; drop table y; --", "has a line end"),
        ("a#b", "one of ? % # ;"),
        ("a?b", "one of ? % # ;"),
        ("a%41b", "one of ? % # ;"),
        ("plain/below", "cannot hold the warehouse"),
        ("plain", "cannot hold the warehouse"),
        ("circle", "cannot hold the warehouse"),
        ("n" * 300, "cannot hold the warehouse"),
    ],
)
def test_a_home_that_cannot_be_is_refused_in_a_sentence(tmp_path, name, words, monkeypatch):
    from typer.testing import CliRunner

    from orchestration.cli import app, errors

    (tmp_path / "plain").touch()
    (tmp_path / "circle").symlink_to(tmp_path / "circle2")
    (tmp_path / "circle2").symlink_to(tmp_path / "circle")
    monkeypatch.setenv("SEGMENTS_HOME", str(tmp_path / name))
    before = os.umask(0o022)
    try:
        for command in (["status"], ["run"], ["explain", "c1"], ["ingest"], ["rollback"]):
            with errors.capture() as told:
                done = CliRunner().invoke(app, command)
            assert done.exit_code == 1
            assert isinstance(done.exception, SystemExit)
            assert words in " ".join(told.get().split())
            assert told.get().strip().isprintable()
    finally:
        os.umask(before)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["circle", "circle2", "plain"]


def test_relative_and_linked_homes_are_real_folders(tmp_path, monkeypatch):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    monkeypatch.chdir(tmp_path)
    assert home("link").root == home("./x/../real").root == tmp_path / "real"
    shutil.rmtree(tmp_path / "real")


def test_nothing_is_loaded_that_can_run_code():
    """Fault 79: who could write such a file would run code here; parameters of models are rows."""
    loads = re.compile(
        r"\b(pickle|marshal|shelve|joblib|dill)\b|yaml\.(unsafe_)?load\(|(?<![\w.])(eval|exec)\("
        r"|allow_pickle=True|shell=True"
    )
    found = [
        f"{path.relative_to(PROJECT)}: {match[0]}"
        for folder in ("orchestration", "models", "estimation", "sample", "dashboard")
        for path in (PROJECT / folder).rglob("*.py")
        for match in loads.finditer(path.read_text(encoding="utf-8"))
    ]
    assert found == []
