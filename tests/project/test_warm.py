"""The short ways of tests to dbt save what they say, and fail where dbt fails."""

from pathlib import Path

import pytest

from orchestration import dbt
from orchestration.home import home
from tests import warm

NOT_PARSED = "Partial parsing enabled, no changes found, skipping parsing"


def test_a_home_that_was_handed_the_parse_is_not_parsed_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("DBT_LOG_LEVEL_FILE", "debug")
    place = home(tmp_path)
    warm.call(place, "ls", "--select", "customer_segments")
    assert NOT_PARSED in (place.logs / "dbt" / "dbt.log").read_text()


def test_what_dbt_says_of_a_failure_is_told(tmp_path: Path):
    with pytest.raises(dbt.DbtFailed, match="no_such_command"):
        warm.call(home(tmp_path), "no_such_command")
