"""Settings of the seed `settings` that Python needs; the rules of the numbers stay in SQL."""

import csv
from datetime import date
from pathlib import Path

from orchestration.home import PROJECT


def setting(name: str, day: date | None = None, seeds: Path = PROJECT / "seeds") -> str:
    """Return the value of a setting on a day, by default today: it rules work, not numbers.

    Raises:
        KeyError: no row holds on that day.
    """
    on = (day or date.today()).isoformat()
    with (seeds / "settings.csv").open(newline="", encoding="utf-8") as stream:
        for row in csv.DictReader(stream):
            holds = row["valid_from"] <= on <= (row["valid_to"] or on)
            if row["setting"] == name and holds:
                return row["value"]
    raise KeyError(f"seeds/settings.csv has no row for {name} on {on}")
