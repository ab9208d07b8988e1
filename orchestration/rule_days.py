"""Which rules hold from which day on: the versions that a change with a validity date makes."""

import csv
import hashlib
import io
from datetime import date, timedelta
from pathlib import Path

from orchestration.home import PROJECT

# Seeds of words: a better label changes no number.
WORDS = {"labels", "feed_notes", "requirement_coverage"}
BEGINNING = date(1900, 1, 1)


def rule_versions(seeds: Path = PROJECT / "seeds") -> list[tuple[date, str]]:
    """Return each day from which other rules hold, in order, with 12 hexadecimal digits of them.

    Two days on which the same rows hold have the same version, whatever was changed in between.
    """
    tables = {
        file.stem: list(csv.DictReader(io.StringIO(file.read_text(encoding="utf-8"))))
        for file in sorted(seeds.glob("*.csv"))
        if file.stem not in WORDS
    }
    days = {BEGINNING}
    for rows in tables.values():
        for row in rows:
            if row.get("valid_from"):
                days.add(date.fromisoformat(row["valid_from"]))
            if row.get("valid_to"):
                days.add(date.fromisoformat(row["valid_to"]) + timedelta(days=1))
    return [(day, _version(tables, day.isoformat())) for day in sorted(days)]


def _version(tables: dict[str, list[dict[str, str]]], day: str) -> str:
    digest = hashlib.sha256()
    for name, rows in tables.items():
        for row in rows:
            if row.get("valid_from", "") <= day <= (row.get("valid_to") or "9999-12-31"):
                # Without its own dates: the same rule over another stretch is the same rule.
                values = [row[key] for key in row if key not in ("valid_from", "valid_to")]
                digest.update(repr((name, values)).encode())
    return digest.hexdigest()[:12]
