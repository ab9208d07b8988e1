"""The table of faults is whole, and every test that it names exists."""

import ast
import re

import pytest

from orchestration.home import PROJECT

FAULTS = [
    *(f"T{trap}" for trap in range(1, 11)),
    *(
        str(fault)
        for fault in [
            *(*range(1, 30), 31, *range(38, 47), *range(56, 62)),
            *(64, *range(70, 81)),
        ]
    ),
]
ROW = re.compile(r"\| (T?\d+) \| (.+?) \| (.+?) \| (.+?) \|")
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


def rows() -> list[tuple[str, str]]:
    """Number and tests of each row of the table."""
    lines = (PROJECT / "docs" / "faults.md").read_text(encoding="utf-8").splitlines()
    table = [line for line in lines if line.startswith("|")]
    body = [line for line in table if not re.match(r"\| (#|---) \|", line)]
    found = [ROW.fullmatch(line) for line in body]
    assert [line for line, match in zip(body, found, strict=True) if not match] == []
    return [(match[1], match[4]) for match in found if match]


ROWS = rows()


def test_every_fault_has_one_row():
    assert sorted(number for number, _ in ROWS) == sorted(FAULTS)


@pytest.mark.parametrize(("number", "tests"), ROWS, ids=[number for number, _ in ROWS])
def test_the_tests_of_a_fault_exist(number: str, tests: str):
    named = NAMED.findall(tests)
    assert ", ".join(f"`{file}::{name}`" for file, name in named) == tests
    for file, name in named:
        functions = {
            node.name
            for node in ast.parse((PROJECT / file).read_text(encoding="utf-8")).body
            if isinstance(node, ast.FunctionDef)
        }
        assert name.startswith("test_") and name in functions, f"{file}::{name}"
