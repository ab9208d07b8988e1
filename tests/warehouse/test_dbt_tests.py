"""dbt's unit tests run with the rest: `./segments run` leaves them out, they check no data."""

import re

from tests.shops import Warehouse, segments


def test_every_dbt_unit_test_passes(demo: tuple[Warehouse, str], manifest: dict):
    # A built warehouse, because a unit test needs its inputs' columns to exist.
    done = segments(demo[0].root, "dbt", "test", "--select", "test_type:unit")
    assert done.returncode == 0, done.stdout[-4000:]
    passed = int(re.search(r"PASS=(\d+)", done.stdout).group(1))
    assert passed >= len(manifest["unit_tests"]) > 50
