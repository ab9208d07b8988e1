"""The rules as data: the map of the 125 codes, and where each clause of the documents ended."""

import csv
import itertools
from typing import Any

import pytest

from orchestration.home import PROJECT
from tests.shops import SHARED_DATA

SEGMENTS = {
    "champions",
    "loyal",
    "potential_loyalist",
    "new",
    "promising",
    "needs_attention",
    "about_to_sleep",
    "at_risk",
    "cannot_lose",
    "hibernating",
    "lost",
}
HEADLINES = {"top", "loyal", "growing", "slipping", "dormant"}


def seed(name: str) -> list[dict[str, str]]:
    with (PROJECT / "seeds" / f"{name}.csv").open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def test_all_125_codes_are_mapped_once_to_eleven_and_to_five():
    rows = seed("rfm_map")
    codes = {"".join(scores) for scores in itertools.product("12345", repeat=3)}
    assert sorted(row["rfm_code"] for row in rows) == sorted(codes)
    assert {row["rfm_segment"] for row in rows} == SEGMENTS
    assert {row["headline_segment"] for row in rows} == HEADLINES
    for row in rows:
        assert row["rfm_code"] == row["r_score"] + row["f_score"] + row["m_score"]


def test_a_better_score_never_demotes_the_headline():
    rank = {row["rfm_code"]: int(row["headline_rank"]) for row in seed("rfm_map")}
    for code, value in rank.items():
        for place in range(3):
            better = code[:place] + str(int(code[place]) + 1) + code[place + 1 :]
            if better in rank:
                assert rank[better] >= value, f"{code} -> {better}"


def test_the_map_is_the_agreed_one():
    agreed = SHARED_DATA.parent / "rfm_map.csv"
    if not agreed.exists():
        pytest.skip(f"the agreed map is not at {agreed}")
    assert agreed.read_text() == (PROJECT / "seeds" / "rfm_map.csv").read_text()


def test_every_clause_is_covered_or_planned():
    agreed = SHARED_DATA.parent / "requirements.csv"
    if not agreed.exists():
        pytest.skip(f"the clauses are not at {agreed}")
    with agreed.open(newline="", encoding="utf-8") as stream:
        clauses = [row["clause"] for row in csv.DictReader(stream)]
    assert [row["clause"] for row in seed("requirement_coverage")] == clauses


def test_a_built_clause_names_a_rule_a_model_and_a_test_that_exist(manifest: dict[str, Any]):
    nodes = {node["name"] for node in manifest["nodes"].values()}
    nodes |= {node["name"] for node in manifest["unit_tests"].values()}
    seeds = {path.stem for path in (PROJECT / "seeds").glob("*.csv")}
    python_tests = "\n".join(path.read_text() for path in (PROJECT / "tests").rglob("test_*.py"))
    for row in seed("requirement_coverage"):
        if row["status"] == "planned":
            assert not row["model"] and not row["test"], row
            continue
        assert row["status"] == "built", row
        assert row["rule"].split(":")[0] in seeds | {"contract", "definition"}, row
        assert row["model"] in nodes, row
        assert row["test"] in nodes or f"def {row['test']}(" in python_tests, row
