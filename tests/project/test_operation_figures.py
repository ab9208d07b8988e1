"""Every figure of docs/operation-figures.md is one that a test records or that can be counted."""

import ast
import re

import pytest

from orchestration.home import PROJECT

PAGE = PROJECT / "docs" / "operation-figures.md"
ROW = re.compile(r"\| (.+?) \| `(\w+)` \| ([\d.,]+) (.+?) \| `(tests/[\w/]+\.py)::(\w+)` \|")
RECORDED = re.compile(r"""record\(\s*"(\w+)",""")


def rows() -> list[tuple[str, ...]]:
    """What, name, value, unit, file and test of each figure."""
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    table = [line for line in lines if line.startswith("|")]
    body = [line for line in table if not re.match(r"\| (figure|---) \|", line)]
    found = [ROW.fullmatch(line) for line in body]
    assert [line for line, match in zip(body, found, strict=True) if not match] == []
    return [match.groups() for match in found if match]


ROWS = rows()


@pytest.mark.parametrize("row", ROWS, ids=[row[1] for row in ROWS])
def test_a_figure_is_recorded_by_the_test_that_it_names(row: tuple[str, ...]):
    _, name, _, _, file, test = row
    text = (PROJECT / file).read_text(encoding="utf-8")
    functions = {
        node.name: ast.get_source_segment(text, node) or ""
        for node in ast.parse(text).body
        if isinstance(node, ast.FunctionDef)
    }
    assert name in RECORDED.findall(functions[test])


def test_every_figure_that_is_recorded_stands_on_the_page():
    recorded = {
        name
        for path in (PROJECT / "tests").rglob("test_*.py")
        for name in RECORDED.findall(path.read_text(encoding="utf-8"))
    }
    assert recorded == {row[1] for row in ROWS}


def test_the_number_of_faults_is_that_of_the_table():
    table = (PROJECT / "docs" / "faults.md").read_text(encoding="utf-8")
    faults = len(re.findall(r"^\| T?\d+ \|", table, re.MULTILINE))
    assert f"{faults} faults" in PAGE.read_text(encoding="utf-8")
