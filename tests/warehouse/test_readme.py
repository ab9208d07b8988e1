"""The first screen of the README is what the demo prints and publishes."""

import re

from orchestration.band_shares import odd_bands
from orchestration.home import PROJECT, home
from tests.shops import Warehouse, segments

README = (PROJECT / "README.md").read_text(encoding="utf-8")


def lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def test_the_readme_shows_the_table_that_the_demo_prints(demo: tuple[Warehouse, str]):
    block = next(part for part in README.split("```") if "客户分群" in part)
    shown = [line for line in lines(block) if not line.startswith("Published")]
    assert len(shown) > 8
    printed = lines(demo[1])
    assert [line for line in shown if line not in printed] == []


def test_the_readme_explains_a_customer_as_the_command_does(demo: tuple[Warehouse, str]):
    blocks = [part for part in README.split("```") if part.strip().startswith("shop:C0000001")]
    assert len(blocks) == 2
    for language, block in zip(("en", "zh"), blocks, strict=True):
        done = segments(demo[0].root, "explain", "C0000001", "--lang", language)
        assert lines(done.stdout) == lines(block)


def test_the_readme_names_every_published_table_and_no_other(demo: tuple[Warehouse, str]):
    named = set(re.findall(r"^\| `([a-z_]+)` \|", README.split("## Operating it")[0], flags=re.M))
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


def words(text: str) -> list[str]:
    """Return the lines without their padding, which depends on what else is in a table."""
    return [" ".join(line.split()) for line in lines(text)]


def test_the_readme_s_walk_through_the_thresholds_is_what_the_commands_print(
    online_retail: Warehouse,
):
    section = README.split("## Thresholds that fit your business")[1].split("\n## ")[0]
    shown = dict(re.findall(r"```\n\$ \./segments (\S+)[^\n]*\n(.*?)```", section, flags=re.S))
    place = home(online_retail.root)
    printed = {"run": "\n".join(f"Warning: {band}" for band in odd_bands(place))}
    calibrated = segments(place.root, "calibrate")
    printed["calibrate"] = calibrated.stdout
    file = place.exports / "rules-2011-12-09.csv"
    printed["what-if"] = segments(place.root, "what-if", str(file)).stdout
    for command, output in printed.items():
        told = [line for line in words(shown[command]) if line != "..."]
        assert len(told) > 1
        assert [line for line in told if line not in words(output)] == []
    assert words(shown["run"]) == words(printed["run"])
