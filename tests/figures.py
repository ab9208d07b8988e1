"""Figures that tests measure, for docs/operation-figures.md: one file each in target/figures."""

import json
import os
from datetime import UTC, datetime

from orchestration.home import PROJECT

FOLDER = PROJECT / "target" / "figures"


def record(name: str, value: float, unit: str) -> None:
    """Keep a figure where whoever writes the page finds it, and print it."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    held = {
        "name": name,
        "value": value,
        "unit": unit,
        "test": os.environ.get("PYTEST_CURRENT_TEST", "").split(" ")[0],
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    (FOLDER / f"{name}.json").write_text(json.dumps(held) + "\n", encoding="utf-8")
    print(f"{name}: {value} {unit}")
