"""What every folder of tests shares."""

import json
from typing import Any

import pytest

from orchestration import dbt
from tests import warm


@pytest.fixture(scope="session")
def manifest() -> dict[str, Any]:
    """Return dbt's manifest of the project as it is now."""
    return json.loads(dbt.prepare_manifest(warm.parsed_once()).read_text())
