"""The published files as BI tools open them: the guide's code as it stands, and older clients."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from orchestration.home import PROJECT
from tests.shops import Warehouse

GUIDE = (PROJECT / "docs" / "bi-tools.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```python\n(.*?)```", GUIDE, flags=re.S)
UV = PROJECT / ".uv" / "bin" / "uv"
OLDER = PROJECT / "requirements" / "client.txt"


def ran(code: str, folder: Path, python: str = sys.executable) -> str:
    """Return what a program prints that runs in a folder, by itself as a reader would."""
    done = subprocess.run(
        [python, "-c", code], cwd=folder, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def beside_data(sample_shop: Warehouse, tmp_path: Path) -> Path:
    """Return a folder in which `data` is the home, as the project's is for who made the demo."""
    (tmp_path / "data").symlink_to(sample_shop.root)
    return tmp_path


def test_frames_show_the_segments_of_the_summary(sample_shop: Warehouse, beside_data: Path):
    check = """
import json
print(json.dumps([
    [[str(row[0]), int(row[1]), str(row[2])] for row in segments.pl().iter_rows()],
    [[str(row[0]), int(row[1]), f"{row[2]:.2f}"] for row in segments.df().itertuples(index=False)],
]))
"""
    polars, pandas = json.loads(ran(EXAMPLES[0] + check, beside_data).splitlines()[-1])
    with sample_shop.connect() as connection:
        summary = connection.execute("""
            select labels.label_en, summary.customers, summary.net_revenue_12m
            from segment_summary as summary
            inner join segment_labels as labels
                on labels.dimension = 'final_segment' and labels.code = summary.segment
            where summary.customers > 0
            order by summary.sort_order
        """).fetchall()
    assert len(summary) > 5
    assert [(name, count, Decimal(money)) for name, count, money in polars] == summary
    assert pandas == polars


def test_sqlalchemy_reads_the_history_with_a_bound_value(sample_shop: Warehouse, beside_data: Path):
    check = """
import json
print(json.dumps([[str(row[0])[:10], int(row[1])] for row in by_month.itertuples(index=False)]))
"""
    found = json.loads(ran(EXAMPLES[1] + check, beside_data).splitlines()[-1])
    with sample_shop.connect() as connection:
        rows = connection.execute("select as_of_date, value_tier from customer_segments_history")
        days = [str(day) for day, tier in rows.fetchall() if tier == "high"]
    assert found == [[day, days.count(day)] for day in sorted(set(days))]
    assert len(found) > 20


def test_sqlalchemy_as_the_guide_opens_it_writes_nothing(beside_data: Path):
    attempt = """
from sqlalchemy.exc import ProgrammingError
for statement in ("delete from customer_segments", "drop table history.customer_segments_history"):
    try:
        with engine.begin() as connection:
            connection.execute(text(statement))
        print("written")
    except ProgrammingError as error:
        print("refused" if "read-only" in str(error) else error)
"""
    assert ran(EXAMPLES[1] + attempt, beside_data).splitlines()[-2:] == ["refused", "refused"]


@pytest.mark.parametrize("client", ["pinned", "older"])
def test_an_open_connection_keeps_its_version_and_a_new_one_gets_the_next(
    client: str, request: pytest.FixtureRequest, tmp_path: Path
):
    """Rule 3 of the guide, in one process, with a link that is turned to another folder."""
    read = """
import os
import duckdb
def connected():
    return duckdb.connect("current/marts.duckdb", read_only=True)
def number(connection):
    return connection.execute("select number from numbers").fetchone()[0]
for version in (1, 2):
    os.makedirs(f"versions/{version}")
    with duckdb.connect(f"versions/{version}/marts.duckdb") as connection:
        connection.execute(f"create table numbers as select {version} as number")
os.symlink("versions/1", "current")
before = connected()
os.symlink("versions/2", "next")
os.replace("next", "current")
print(number(before), number(connected()), number(before))
"""
    python = sys.executable if client == "pinned" else request.getfixturevalue("older_client")
    assert ran(read, tmp_path, python) == "1 2 1\n"


@pytest.fixture(scope="module")
def older_client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the Python of an environment that holds nothing but DuckDB 1.5."""
    place = tmp_path_factory.mktemp("client")
    python = place / "venv" / "bin" / "python"
    made = subprocess.run(
        [UV, "venv", "--quiet", "--python", sys.executable, place / "venv"],
        capture_output=True,
        text=True,
    )
    if made.returncode == 0:
        made = subprocess.run(
            [UV, "pip", "sync", "--quiet", "--python", python, "--require-hashes", OLDER],
            capture_output=True,
            text=True,
        )
    if made.returncode != 0:
        if os.environ.get("CI"):
            pytest.fail(made.stderr)
        pytest.skip(f"no environment with DuckDB 1.5 could be made: {made.stderr}")
    yield str(python)


def test_a_duckdb_1_5_client_reads_every_published_table(sample_shop: Warehouse, older_client: str):
    code = f"""
import json
import duckdb
assert duckdb.__version__.startswith("1.5."), duckdb.__version__
connection = duckdb.connect()
for name in ("marts", "history", "facts"):
    connection.execute(f"attach '{sample_shop.current}/{{name}}.duckdb' as {{name}} (read_only)")
tables = connection.execute(
    "select database_name, table_name from duckdb_tables() "
    "where database_name in ('marts', 'history', 'facts') order by all"
).fetchall()
print(json.dumps({{
    table: [
        str(value)
        for value in connection.execute(
            f"select count(*), bit_xor(md5_number(t::varchar)) from {{base}}.{{table}} as t"
        ).fetchone()
    ]
    for base, table in tables
}}))
"""
    older = json.loads(ran(code, sample_shop.root, older_client))
    with sample_shop.connect() as connection:
        tables = connection.execute(
            "select database_name, table_name from duckdb_tables() "
            "where database_name in ('marts', 'history', 'facts')"
        ).fetchall()
        mine = {
            table: [
                str(value)
                for value in connection.execute(
                    f"select count(*), bit_xor(md5_number(t::varchar)) from {base}.{table} as t"
                ).fetchone()
            ]
            for base, table in tables
        }
    assert len(older) > 30
    assert older == mine


def test_every_setting_that_was_not_tried_says_so():
    heading = GUIDE.index("## Settings for BI servers")
    assert "**Not tested here**" in GUIDE[heading:]
    assert "how (untested)" in GUIDE[heading:]
    for tool in ("Superset", "Metabase", "Power BI", "Tableau"):
        assert GUIDE.index(tool) > heading
