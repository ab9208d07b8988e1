"""The environment: everything pinned with hashes, and nobody's registry written down."""

import re
from pathlib import Path

import pytest

from orchestration.home import PROJECT

LOCKS = sorted((PROJECT / "requirements").glob("*.txt"))
FIXED = {
    "dbt-core": "1.11.16",
    "dbt-duckdb": "1.11.1",
    "duckdb": "2.0.0",
    "dagster": "1.13.27",
    "dagster-webserver": "1.13.27",
    "dagster-dbt": "0.29.27",
}


def requirements(path: Path) -> list[str]:
    """Return the lock's entries, each with its hashes on one line."""
    joined = path.read_text().replace("\\\n", " ")
    return [row for row in joined.splitlines() if row.strip() and not row.strip().startswith("#")]


@pytest.mark.parametrize("path", LOCKS, ids=lambda path: path.name)
def test_every_requirement_is_pinned_with_a_hash(path: Path):
    found = requirements(path)
    assert found
    for row in found:
        assert re.match(r"[a-z0-9._-]+(\[[a-z,]+\])?==\S+", row), row
        assert "--hash=sha256:" in row, row


@pytest.mark.parametrize("path", LOCKS, ids=lambda path: path.name)
def test_no_lock_names_a_registry(path: Path):
    assert not re.search(r"https?:|file:|index-url|find-links", path.read_text())


def test_what_belongs_together_is_pinned_together():
    pinned = dict(
        re.match(r"([a-z0-9._-]+)==([^\s;]+)", row).groups()
        for row in requirements(PROJECT / "requirements" / "base.txt")
    )
    assert {name: pinned[name] for name in FIXED} == FIXED


def test_the_groups_come_from_one_resolution():
    base, dev = (set(requirements(PROJECT / "requirements" / f"{n}.txt")) for n in ("base", "dev"))
    pins = {row.split()[0] for row in dev}
    assert {row.split()[0] for row in base} <= pins
