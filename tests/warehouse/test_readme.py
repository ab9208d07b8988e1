"""The first screen of the README is what the demo prints and publishes."""

import re

from orchestration.home import PROJECT
from tests.shops import Warehouse

README = (PROJECT / "README.md").read_text(encoding="utf-8")


def lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def test_the_readme_shows_the_table_that_the_demo_prints(demo: tuple[Warehouse, str]):
    block = next(part for part in README.split("```") if "Champions" in part)
    shown = [line for line in lines(block) if not line.startswith("Published")]
    assert len(shown) > 12
    printed = lines(demo[1])
    assert [line for line in shown if line not in printed] == []


def test_the_readme_names_every_published_table_and_no_other(demo: tuple[Warehouse, str]):
    named = set(re.findall(r"^\| `([a-z_]+)` \|", README, flags=re.M))
    with demo[0].connect() as connection:
        published = {
            name
            for (name,) in connection.execute(
                "select table_name from information_schema.tables"
            ).fetchall()
        }
    assert named == published


def test_every_published_column_carries_its_description(demo: tuple[Warehouse, str]):
    with demo[0].connect() as connection:
        bare = connection.execute(
            "select table_name, column_name from duckdb_columns() "
            "where database_name in ('marts', 'history', 'facts') and coalesce(comment, '') = ''"
        ).fetchall()
        bare_tables = connection.execute(
            "select table_name from duckdb_tables() where coalesce(comment, '') = ''"
        ).fetchall()
    assert bare == []
    assert bare_tables == []
