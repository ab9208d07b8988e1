"""dbt's unit tests run with the rest, and fail if a rule that they are named for is changed.

`./segments run` leaves them out: they check no data.
"""

import re
from collections.abc import Iterator
from subprocess import CompletedProcess

import pytest

from tests.rules import named_tests
from tests.shops import Warehouse, segments
from tests.warehouse.mutations import Bench, without_equivalents


@pytest.fixture(scope="module")
def unit_tests_run(own_sample_shop: Warehouse) -> CompletedProcess[str]:
    # A built warehouse, because a unit test needs its inputs' columns to exist.
    return segments(own_sample_shop.root, "dbt", "test", "--select", "test_type:unit")


@pytest.fixture(scope="module")
def bench(
    own_sample_shop: Warehouse, unit_tests_run: CompletedProcess[str], manifest: dict
) -> Iterator[Bench]:
    place = own_sample_shop.root / "warehouse"
    bench = Bench(place / "build.duckdb", place / "target", manifest)
    yield bench
    bench.connection.close()


def test_every_dbt_unit_test_passes(unit_tests_run: CompletedProcess[str], manifest: dict):
    assert unit_tests_run.returncode == 0, unit_tests_run.stdout[-4000:]
    passed = int(re.search(r"PASS=(\d+)", unit_tests_run.stdout).group(1))
    assert passed >= len(manifest["unit_tests"]) > 50


def test_every_changed_rule_is_noticed_by_a_test_named_for_its_clause(bench: Bench):
    assert bench.failing() == [], "these do not pass with the rules as they are"
    assert len(bench.mutants) > 150
    survivors = without_equivalents(bench.survivors(named_tests()))
    assert not survivors, (
        "These changes of a rule are noticed by no test that requirement_coverage names for its "
        "clause: name the test, or let one take the values at the bound and one step before it.\n"
        + "\n".join(survivors)
    )


def test_a_test_that_is_far_from_the_bounds_does_not_count_for_a_rule(bench: Bench):
    mutants = [mutant for mutant in bench.mutants if "spend_band.mid" in mutant.name]
    assert len(mutants) == 7, "two cuts and the points up and down, and the code"
    # Its customers spend 100 at most: it knows the low band alone.
    far = "margin_is_unknown_below_95_percent_coverage_and_known_at_exactly_95"
    for names, who in (((far,), far), ((), "no unit test takes the rule")):
        assert bench.survivors({"V1": names}, mutants) == [
            f"{mutant.name} [V1: {who}]" for mutant in mutants
        ]
    assert bench.failing() == [], "the rules are not put back"
