"""The rules as data: the map of the 125 codes, and where each clause of the documents ended."""

import csv
import itertools
import re
from pathlib import Path
from typing import Any

import pytest

from orchestration.home import PROJECT
from tests.rules import as_the_seed_says, differences, fixtures, key_of, names, seed
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


def test_segments_are_ranked_in_the_order_in_which_they_are_listed():
    """Forwards or backwards, without a gap; where a dimension has an order, all of it has ranks."""
    order = {(row["dimension"], row["code"]): int(row["sort_order"]) for row in seed("labels")}
    dimensions = itertools.groupby(seed("segment_ranks"), lambda row: row["dimension"])
    for dimension, rows in dimensions:
        ranks = {order[dimension, row["code"]]: row["segment_rank"] for row in rows}
        in_order = [ranks[place] for place in sorted(ranks)]
        numbers = [str(number + 1) for number in range(len(in_order))]
        assert in_order in (numbers, numbers[::-1], [""] * len(in_order)), dimension


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


def test_a_built_clause_names_rules_models_and_tests_that_exist(manifest: dict[str, Any]):
    nodes = {node["name"] for node in manifest["nodes"].values()}
    model_of = {test["name"]: test["model"] for test in manifest["unit_tests"].values()}
    assert len(model_of) == len(manifest["unit_tests"]), "two unit tests have the same name"
    python_tests = "\n".join(path.read_text() for path in (PROJECT / "tests").rglob("test_*.py"))
    for row in seed("requirement_coverage"):
        rules, models, tests = (names(row[column]) for column in ("rule", "model", "test"))
        if row["status"] == "planned":
            assert not rules and not models and not tests, row
            continue
        assert row["status"] == "built", row
        assert rules and models and tests, row
        for rule in rules:
            assert rule.split(":")[0] in {"contract", "definition"} or exists(rule), (rule, row)
        assert nodes.issuperset(models), row
        for test in tests:
            # A unit test speaks for its model only.
            assert model_of.get(test) in {None, *models}, (test, row)
            assert test in nodes | model_of.keys() or f"def {test}(" in python_tests, (test, row)


def exists(rule: str) -> bool:
    """Say whether a seed has what `<seed>:<what>` names: a column, or a row by one of its names."""
    name, what = rule.split(":")
    if not (PROJECT / "seeds" / f"{name}.csv").exists():
        return False
    rows = seed(name)
    return what in rows[0] or any(what in names_of(row) for row in rows)


def names_of(row: dict[str, str]) -> set[str]:
    return {key_of(row), row.get("dimension", ""), row.get("code", ""), row.get("setting", "")}


def test_each_rule_is_named_by_the_clause_that_it_carries():
    clauses = {row["clause"]: row for row in seed("requirement_coverage")}
    for path in (PROJECT / "seeds").glob("*.csv"):
        for row in seed(path.stem):
            if path.stem == "requirement_coverage" or not row.get("clause"):
                continue
            for clause in names(row["clause"]):
                called = {f"{path.stem}:{name}" for name in (*names_of(row), next(iter(row)))}
                covered = names(clauses[clause]["rule"])
                assert called.intersection(covered), f"{path.stem} {key_of(row)}: not in {covered}"


@pytest.mark.parametrize("fixture", fixtures(), ids=lambda path: path.stem)
def test_the_rules_that_unit_tests_take_are_those_of_the_seed(fixture: Path):
    remedy = "`python -m tests.rules` writes the fixtures anew; then work the tests out anew too"
    found = list(differences(fixture))
    assert not found, "\n".join([*found, remedy])
    assert fixture.read_text(encoding="utf-8") == as_the_seed_says(fixture), remedy


def test_a_fixture_that_has_another_rule_than_the_seed_is_told_apart(tmp_path: Path):
    name = "bands_on_2024_06_30.csv"
    right = next(path for path in fixtures() if path.name == name)
    wrong = tmp_path / name
    lines = right.read_text(encoding="utf-8").splitlines(keepends=True)
    cut = seed("bands")[0]["lower_bound"]
    lines[1] = lines[1].replace(f",{cut},", ",77,")
    wrong.write_text("".join(line for line in lines if "abc_class.b" not in line))
    assert list(differences(wrong)) == [
        f"{name}: spend_band.high, lower_bound is 77, in the seed {cut}",
        f"{name}: abc_class.b is only in the seed",
    ]
    assert as_the_seed_says(wrong) == right.read_text(encoding="utf-8")


def test_every_reason_of_a_rejection_has_a_label():
    texts = [
        path.read_text()
        for folder in ("models", "macros")
        for path in (PROJECT / folder).rglob("*.sql")
        if "reject" in path.read_text()
    ]
    named = {reason for text in texts for reason in re.findall(r"then '([a-z_]+)'", text)}
    named |= {row["rejection_reason"] for row in seed("online_retail_codes")} - {""}
    # The status of an order is put behind it.
    named.discard("status_")
    labels = {row["code"] for row in seed("labels") if row["dimension"] == "rejection_reason"}
    assert named
    assert named - labels == set()
