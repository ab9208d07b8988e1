"""What every folder of tests shares."""

import json
from typing import Any

import pytest

from orchestration import dbt
from orchestration.home import home


@pytest.fixture(scope="session")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return dbt's manifest of the project, parsed anew."""
    place = home(tmp_path_factory.mktemp("parsed"))
    return json.loads(dbt.prepare_manifest(place).read_text())
