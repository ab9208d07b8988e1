"""Settings of the seed `settings` that Python needs; the rules of the numbers stay in SQL."""

import csv
from pathlib import Path

from orchestration.home import PROJECT


def setting(name: str, seeds: Path = PROJECT / "seeds") -> str:
    """Return the value of a setting that now holds: the row without an end.

    Raises:
        KeyError: there is no such open row.
    """
    with (seeds / "settings.csv").open(newline="", encoding="utf-8") as stream:
        for row in csv.DictReader(stream):
            if row["setting"] == name and not row["valid_to"]:
                return row["value"]
    raise KeyError(f"seeds/settings.csv has no open row for {name}")
