"""Who breaks a rule in `seeds/` is told which row and where; rows of customers stay untold."""

import json
from pathlib import Path
from typing import Any

import duckdb

from orchestration import dbt
from orchestration.broken_rules import SHOWN_ROWS, seeds_judged, with_broken_rules
from orchestration.home import home
from tests.shops import copy_project, deliver, line, order, segments

TEST = "test.segments.a_test"


def nodes(*parents: str) -> dict[str, Any]:
    """Return what a manifest says of a test on `parents`, of a seed and of models."""

    def node(kind: str, path: str, *upstream: str) -> dict[str, Any]:
        return {
            "resource_type": kind,
            "original_file_path": path,
            "depends_on": {"nodes": list(upstream)},
        }

    return {
        TEST: node("test", "tests/a_test.sql", *parents),
        "seed.bands": node("seed", "seeds/bands.csv"),
        "seed.labels": node("seed", "seeds/labels.csv"),
        "model.of_rules": node("model", "models/of_rules.sql", "seed.bands"),
        "model.customers": node("model", "models/customers.sql", "source.shop", "seed.bands"),
        "model.of_nothing": node("model", "models/of_nothing.sql"),
    }


def test_a_broken_row_is_named_with_its_bounds_and_its_file(tmp_path: Path):
    project = copy_project(tmp_path / "project")
    bands = project / "seeds" / "bands.csv"
    mid = "spend_band.mid,spend_band,mid,net_revenue_12m,3000,10000,"
    assert mid in bands.read_text()
    # Begins at 2500, while the band below ends at 3000: what lies between is in two bands.
    bands.write_text(bands.read_text().replace(mid, mid.replace("3000", "2500")))
    settings = project / "seeds" / "settings.csv"
    minimum = "minimum_buyers_to_rank,30,"
    assert minimum in settings.read_text()
    settings.write_text(settings.read_text().replace(minimum, "minimum_buyers_to_rank,-3,"))
    root = tmp_path / "home"
    deliver(root / "landing", "orders", [order("o1", "person@example.org", "2026-03-05")])
    deliver(root / "landing", "order_lines", [line("o1", "10.00")])

    done = segments(root, "run", project=project)

    assert done.returncode != 0
    told = done.stderr[done.stderr.index("assert_bands_cover_every_value_once") :]
    row = next(text for text in told.splitlines() if "change_date" in text)
    assert "change_date 1900-01-01" in row
    assert "rule_id spend_band.mid, lower_bound 2500, upper_bound 10000" in row
    assert "upper_bound_of_the_band_below 3000" in row
    assert "To mend in seeds/bands.csv." in told
    assert "setting minimum_buyers_to_rank, valid_from 1900-01-01, value -3" in told
    assert "To mend in seeds/settings.csv." in told
    assert "person@example.org" not in done.stderr
    assert not (root / "published" / "current").exists()


def test_a_test_of_rules_rests_on_seeds_alone():
    assert seeds_judged(nodes("seed.bands", "seed.labels"), TEST) == [
        "seeds/bands.csv",
        "seeds/labels.csv",
    ]
    assert seeds_judged(nodes("model.of_rules"), TEST) == ["seeds/bands.csv"]
    assert seeds_judged(nodes("seed.bands", "model.customers"), TEST) == []
    assert seeds_judged(nodes("seed.bands", "model.of_nothing"), TEST) == []
    assert seeds_judged(nodes("seed.bands"), "model.of_rules") == []
    assert seeds_judged(nodes("seed.bands"), "test.segments.unknown") == []


def test_every_test_of_a_seed_names_it_and_no_test_of_a_mart_does(manifest: dict[str, Any]):
    judged = {
        unique_id: seeds_judged(manifest["nodes"], unique_id)
        for unique_id, node in manifest["nodes"].items()
        if node["resource_type"] == "test"
    }
    of_seeds = {
        unique_id
        for unique_id in judged
        if all(
            parent.startswith("seed.")
            for parent in manifest["nodes"][unique_id]["depends_on"]["nodes"]
        )
    }
    assert len(of_seeds) > 10
    assert all(judged[unique_id] for unique_id in of_seeds)
    # A customer type is a word of the rules, a customer is not.
    told = {name.replace("customer_type", "") for name, seeds in judged.items() if seeds}
    assert not [name for name in told if "customer" in name or "order_id" in name]


def explain(root: Path, *parents: str, rows: int = 1) -> tuple[str, ...]:
    """Return the details of a failed test on `parents` whose query returns `rows` rows."""
    place = home(root).prepare()
    with duckdb.connect(str(place.build_file)) as connection:
        connection.execute("create schema if not exists seeds")
        connection.execute(
            "create or replace table seeds.bands as select 'band ' || n as rule_id, "
            f"case when n > 0 then n + 0.500000 end as lower_bound from range({rows}) as r(n)"
        )
    target = dbt.target_folder(place)
    target.mkdir(parents=True, exist_ok=True)
    (target / "manifest.json").write_text(json.dumps({"nodes": nodes(*parents)}))
    results = [
        {
            "unique_id": TEST,
            "status": "fail",
            "message": f"Got {rows} results",
            "compiled_code": 'select * from "build"."seeds"."bands" -- all of them',
        }
    ]
    (finding,) = with_broken_rules(place, dbt.findings(results), results)
    return finding.details


def test_the_first_rows_are_told_and_that_there_are_more(tmp_path: Path):
    details = explain(tmp_path, "seed.bands", rows=SHOWN_ROWS + 1)
    assert details[:2] == (
        "rule_id band 0, lower_bound (blank)",
        "rule_id band 1, lower_bound 1.5",
    )
    assert details[SHOWN_ROWS:] == ("and more", "To mend in seeds/bands.csv.")
    assert len(explain(tmp_path, "seed.bands", rows=SHOWN_ROWS)) == SHOWN_ROWS + 1


def test_rows_that_may_name_customers_are_not_told(tmp_path: Path):
    assert explain(tmp_path, "model.customers") == ()


def test_without_a_build_file_the_seed_is_still_named(tmp_path: Path):
    explain(tmp_path, "seed.bands")
    place = home(tmp_path)
    results = [{"unique_id": TEST, "status": "fail", "message": "", "compiled_code": "select 1"}]
    place.build_file.unlink()
    (finding,) = with_broken_rules(place, dbt.findings(results), results)
    assert finding.details == ("To mend in seeds/bands.csv.",)
