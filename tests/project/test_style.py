"""The house style, held by the manifest: grain, keys, descriptions, layers, shared SQL."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from orchestration.home import PROJECT

LAYERS = {"staging": 0, "intermediate": 1, "marts": 2}
MODELS = sorted((PROJECT / "models").rglob("*.sql"))
SQL = [*MODELS, *sorted((PROJECT / "tests").rglob("*.sql"))]

# What one of the two engines does not know, or reads otherwise (architecture, section 9), and the
# clock, which no model may read.
FORBIDDEN = {
    "current_date": r"\bcurrent_date\b",
    "current_timestamp": r"\bcurrent_timestamp\b",
    "now()": r"\bnow\(\)",
    "* exclude": r"\*\s*exclude\b",
    "quantile_cont": r"\bquantile_cont\b",
    "string_agg": r"\bstring_agg\b",
    "json_*": r"\bjson_\w+\(",
    "a backslash": r"\\",
    "ntile, which splits ties": r"\bntile\b",
    "select distinct to mend a join": r"\bselect distinct\b",
}


def code(path: Path) -> str:
    """Return a file's SQL without comments and without Jinja, which both engines never see."""
    text = re.sub(r"{#.*?#}", "", path.read_text(), flags=re.S)
    text = re.sub(r"{[{%].*?[%}]}", "", text, flags=re.S)
    return re.sub(r"--[^\n]*", "", text).lower()


def models(manifest: dict[str, Any]) -> list[dict[str, Any]]:
    return [node for node in manifest["nodes"].values() if node["resource_type"] == "model"]


def layer(node: dict[str, Any]) -> str:
    return node["original_file_path"].split("/")[1]


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.stem)
def test_a_model_opens_with_its_grain(path: Path):
    first = next(
        line for line in path.read_text().splitlines() if line and not line.startswith("{%")
    )
    assert re.match(r"-- Grain: (one row per|exactly one row)", first), first


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.stem)
def test_a_model_has_its_yaml_beside_it_with_a_description(path: Path):
    described = yaml.safe_load(path.with_suffix(".yml").read_text())["models"]
    assert [model["name"] for model in described] == [path.stem]
    assert "one row" in described[0]["description"].lower()


@pytest.mark.parametrize("path", SQL, ids=lambda path: path.stem)
@pytest.mark.parametrize("what", FORBIDDEN)
def test_sql_keeps_to_what_both_engines_share(path: Path, what: str):
    assert not re.search(FORBIDDEN[what], code(path)), f"{path.name} uses {what}"


@pytest.mark.parametrize("path", SQL, ids=lambda path: path.stem)
def test_a_window_that_picks_rows_says_where_nulls_go(path: Path):
    for window in re.findall(r"row_number\(\) over \((.*?)\n\s*\)", code(path), flags=re.S):
        order = window.split("order by", 1)[1]
        directions = len(re.findall(r"\b(?:asc|desc)\b", order))
        assert directions > 0, f"{path.name}: {order}"
        assert len(re.findall(r"nulls (?:first|last)", order)) == directions, (
            f"{path.name}: {order}"
        )


def test_every_model_has_a_tested_key(manifest: dict[str, Any]):
    keyed = {
        node["attached_node"]
        for node in manifest["nodes"].values()
        if node["resource_type"] == "test"
        and (node.get("test_metadata") or {}).get("name") in ("unique", "unique_grain")
    }
    # One row for all time, and a history too large to count whole: singular tests count them.
    keyed.add("model.segments.stg_rules__fact_settings")
    keyed.update(
        f"model.segments.{name}"
        for name in ("customer_segments_history", "stg_control__kept_history")
    )
    assert {model["unique_id"] for model in models(manifest)} - keyed == set()


def test_every_mart_has_a_contract_and_describes_every_column(manifest: dict[str, Any]):
    for model in models(manifest):
        if layer(model) != "marts":
            continue
        assert model["config"]["contract"]["enforced"], model["name"]
        for column in model["columns"].values():
            assert column["description"], f"{model['name']}.{column['name']}"
            assert column["data_type"], f"{model['name']}.{column['name']}"


def test_no_mart_has_a_personal_column(manifest: dict[str, Any]):
    """Birth dates end in the age band; what contracts call personal must not be published."""
    contract = yaml.safe_load(
        (PROJECT / "models" / "staging" / "shop" / "_shop__sources.yml").read_text()
    )
    (feed,) = (each for each in contract["sources"][0]["tables"] if each["name"] == "customers")
    personal = {
        column["name"] for column in feed["columns"] if "(personal)" in column["description"]
    }
    assert personal == {"name", "email", "phone", "birth_date"}
    pattern = re.compile(
        r"(customer_|full_|first_|last_|contact_)?name|e_?mail.*|.*_e_?mail|.*phone.*|.*birth.*|age"
        r"|age_years"
    )
    assert all(pattern.fullmatch(name) for name in personal)
    for model in models(manifest):
        if layer(model) == "marts":
            found = [name for name in model["columns"] if pattern.fullmatch(name)]
            assert not found, f"{model['name']} publishes {found}"


def test_data_flow_one_way_and_only_staging_reads_sources(manifest: dict[str, Any]):
    by_id = {model["unique_id"]: model for model in models(manifest)}
    for model in by_id.values():
        for parent in model["depends_on"]["nodes"]:
            if parent.startswith("source."):
                assert layer(model) == "staging", f"{model['name']} reads {parent}"
            elif parent in by_id:
                assert LAYERS[layer(by_id[parent])] <= LAYERS[layer(model)], model["name"]
                if layer(model) == "marts":
                    assert layer(by_id[parent]) != "staging" or parent.endswith(
                        "stg_ledger__deliveries"
                    ), f"{model['name']} skips a layer"


def test_names_say_the_layer(manifest: dict[str, Any]):
    patterns = {
        "staging": r"stg_[a-z_]+__[a-z_]+",
        "intermediate": r"int_[a-z_0-9]+",
        "marts": r"[a-z_0-9]+",
    }
    for model in models(manifest):
        assert re.fullmatch(patterns[layer(model)], model["name"]), model["name"]
        assert layer(model) != "marts" or not re.match(r"(stg|int|dim|fct)_", model["name"])


@pytest.mark.parametrize(
    "path", sorted((PROJECT / "macros").rglob("*.sql")), ids=lambda path: path.stem
)
def test_a_macro_file_holds_one_macro_documented_with_an_example(path: Path):
    text = path.read_text()
    names = {
        re.sub(r"^(default|duckdb|spark)__", "", name)
        for name in re.findall(r"{%-?\s*(?:macro|test)\s+(\w+)", text)
    }
    assert names == {path.stem}
    assert text.lstrip().startswith("{#")
    assert "Example" in text.split("#}")[0] or path.stem == "generate_schema_name"


def test_a_singular_test_opens_with_the_truth_it_asserts():
    for path in (PROJECT / "tests" / "singular").rglob("*.sql"):
        assert path.read_text().startswith("-- "), path.name
        assert path.stem.startswith("assert_"), path.name


def test_a_source_contract_is_plain_yaml():
    for path in (PROJECT / "models" / "staging").rglob("_*__sources.yml"):
        assert "{{" not in path.read_text(), path.name


def test_the_exposure_of_the_published_files_names_every_mart(manifest: dict[str, Any]):
    marts = {model["unique_id"] for model in models(manifest) if layer(model) == "marts"}
    exposure = manifest["exposures"]["exposure.segments.published_files"]
    assert set(exposure["depends_on"]["nodes"]) == marts


@pytest.mark.parametrize(
    ("exposure", "files"),
    [
        ("dashboard", "dashboard/**/*.*"),
        ("segment_table", "orchestration/report.py"),
        ("monthly_review", "orchestration/review.py"),
    ],
)
def test_an_exposure_names_the_marts_that_its_code_reads(
    manifest: dict[str, Any], exposure: str, files: str
):
    marts = {model["name"] for model in models(manifest) if layer(model) == "marts"}
    text = "".join(
        path.read_text() for path in PROJECT.glob(files) if path.suffix in (".sql", ".py")
    )
    read = set(re.findall(r"\b(?:from|join) (?:(?:marts|history|facts)\.)?(?:main\.)?(\w+)", text))
    depends_on = manifest["exposures"][f"exposure.segments.{exposure}"]["depends_on"]["nodes"]
    assert {node.split(".")[-1] for node in depends_on} == read & marts


def test_every_exposure_says_who_answers_for_it(manifest: dict[str, Any]):
    for exposure in manifest["exposures"].values():
        assert exposure["owner"]["name"] and exposure["description"], exposure["name"]


def test_the_documentation_opens_with_an_overview_of_this_project(manifest: dict[str, Any]):
    overview = manifest["docs"]["doc.segments.__overview__"]["block_contents"]
    named = set(re.findall(r"`([a-z_]+)`", overview))
    known = {node["name"] for node in manifest["nodes"].values()} | {"as_of_date"}
    folders = {path.name for path in (PROJECT / "models" / "marts").iterdir() if path.is_dir()}
    assert named - known - folders <= {"rejection_reason"}
    assert folders <= named


@pytest.mark.parametrize(
    "path", sorted((PROJECT / "models").rglob("*.py")), ids=lambda path: path.stem
)
def test_a_python_model_opens_with_its_grain_and_has_its_yaml(path: Path):
    assert re.match(r"# Grain: one row per", path.read_text())
    (described,) = yaml.safe_load(path.with_suffix(".yml").read_text())["models"]
    assert described["name"] == path.stem
    assert "one row" in described["description"].lower()
