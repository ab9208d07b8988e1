"""Changed rules taken over into `seeds/`: old rows closed, new dated rows added."""

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb

from orchestration import progress, rules, trial
from orchestration.home import Home, writer_lock
from orchestration.rules import Change, Row, Seed
from orchestration.versions import sync


@dataclass(frozen=True)
class Adopted:
    """What was taken over: from which day on, the seeds' files written, and the changes in them."""

    valid_from: date
    files: tuple[Path, ...]
    changes: tuple[tuple[Change, str], ...]


def adopt(place: Home, file: Path, folder: Path = rules.SEEDS) -> Adopted:
    """Write the changes of a rule file into the seeds, all of them or none.

    Args:
        place: the home that the set is tried out in; what it holds stays as it is.
        file: the rule file.
        folder: the seeds.

    Returns:
        What changed, each change with the value before; nothing where all of it holds already.

    Raises:
        RulesError: the file is no rule file, or asks for what cannot be.
        RulesRefused: the tests of the rules refuse the set, such as bands with a gap.
        WriterBusy: a run is under way, or another trial.
    """
    say = progress.stage("adopt")
    # A run that is under way must not find other rules in its middle.
    with writer_lock(place, "adopting rules", name="run.lock"):
        seeds = rules.read_seeds(folder)
        asked = rules.read_rule_file(file, seeds)
        rows = {
            name: rules.dated(seeds[name], asked.of(name), asked.valid_from) for name in asked.seeds
        }
        changed = {name: found for name, found in rows.items() if found != list(seeds[name].rows)}
        if changed:
            say("testing the set")
            _test(place, seeds, changed)
            say("writing the seeds")
            _write(folder, seeds, changed)
    before = [(change, _value_before(seeds[change.seed], change)) for change in asked.changes]
    return Adopted(
        asked.valid_from,
        tuple(folder / f"{name}.csv" for name in changed),
        tuple((change, old) for change, old in before if old != change.value),
    )


def _test(place: Home, seeds: Mapping[str, Seed], changed: Mapping[str, list[Row]]) -> None:
    """Have dbt's tests of the rules judge the seeds as they would be."""
    with trial.trial(place) as own:
        nodes = trial.parsed_nodes(place, own)
        with duckdb.connect(str(own.build_file)) as build:
            for name, seed in seeds.items():
                trial.write_seed(build, seed, changed.get(name, list(seed.rows)))
        trial.call(own, "test", nodes, trial.tests_of(nodes, changed))


def _write(folder: Path, seeds: Mapping[str, Seed], changed: Mapping[str, list[Row]]) -> None:
    """Replace the files, each in one step, after all of them are on the disk."""
    written = []
    for name, rows in changed.items():
        path = folder / f"{name}.csv"
        text = rules.seed_text(path.read_text(encoding="utf-8"), seeds[name].header, rows)
        handle, beside = tempfile.mkstemp(prefix=f".{name}.", dir=folder)
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
        Path(beside).chmod(path.stat().st_mode)
        sync(Path(beside))
        written.append((Path(beside), path))
    for beside, path in written:
        beside.replace(path)
    sync(folder)


def _value_before(seed: Seed, change: Change) -> str:
    """Return the value of the newest row of a rule."""
    rows = [row for row in seed.rows if seed.rule_id(row) == change.rule_id]
    return max(rows, key=lambda row: row["valid_from"])[change.column]
